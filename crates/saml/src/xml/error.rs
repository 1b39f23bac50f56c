//! Why XML was refused before its content was looked at.

use crate::error::Shown;

/// Why a document was refused before its content was looked at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum XmlError {
    /// More bytes than allowed.
    #[error("the document has {got} bytes, at most {limit} are accepted")]
    TooLarge { limit: usize, got: usize },
    /// Not UTF-8, or declared to be something else.
    #[error("the document is not UTF-8: {0}")]
    Encoding(Shown),
    /// A document type declaration, or any other declaration of entities and the like.
    #[error("the document has a DOCTYPE or another markup declaration; none is accepted")]
    Doctype,
    /// A processing instruction, or an XML declaration elsewhere than at the very start.
    #[error("the document has a processing instruction; none is accepted")]
    ProcessingInstruction,
    /// A CDATA section.
    #[error("the document has a CDATA section; none is accepted")]
    Cdata,
    /// A reference to an entity other than the five of XML, or to a character that XML does not have.
    #[error("the document refers to the entity {0}; only characters and the five entities of XML are accepted")]
    EntityReference(Shown),
    /// Too many comments.
    #[error("the document has more than {limit} comments")]
    TooManyComments { limit: usize },
    /// Elements nested too deeply.
    #[error("elements are nested more than {limit} deep")]
    TooDeep { limit: usize },
    /// Too many elements in all.
    #[error("the document has more than {limit} elements")]
    TooManyElements { limit: usize },
    /// Too many attributes on one tag.
    #[error("a tag has more than {limit} attributes")]
    TooManyAttributesOnTag { limit: usize },
    /// Too many attributes in all.
    #[error("the document has more than {limit} attributes")]
    TooManyAttributes { limit: usize },
    /// Too many namespace declarations in all.
    #[error("the document has more than {limit} namespace declarations")]
    TooManyNamespaces { limit: usize },
    /// Too many namespace declarations on one path from the root.
    #[error("more than {limit} namespace declarations are in scope at once")]
    TooManyNamespacesInScope { limit: usize },
    /// A namespace declaration that is not one by Namespaces in XML 1.0, or that software reads differently.
    #[error("the namespace declaration {0} is not accepted")]
    NamespaceDeclaration(Shown),
    /// Not well-formed.
    #[error("the document is not well-formed XML: {0}")]
    Malformed(Shown),
}

impl XmlError {
    /// A short stable reason for machines.
    pub fn code(&self) -> &'static str {
        match self {
            XmlError::TooLarge { .. } => "xml_too_large",
            XmlError::Encoding(_) => "xml_encoding",
            XmlError::Doctype => "xml_doctype",
            XmlError::ProcessingInstruction => "xml_processing_instruction",
            XmlError::Cdata => "xml_cdata",
            XmlError::EntityReference(_) => "xml_entity_reference",
            XmlError::TooManyComments { .. } => "xml_too_many_comments",
            XmlError::TooDeep { .. } => "xml_too_deep",
            XmlError::TooManyElements { .. } => "xml_too_many_elements",
            XmlError::TooManyAttributesOnTag { .. } | XmlError::TooManyAttributes { .. } => "xml_too_many_attributes",
            XmlError::TooManyNamespaces { .. } | XmlError::TooManyNamespacesInScope { .. } => "xml_too_many_namespaces",
            XmlError::NamespaceDeclaration(_) => "xml_namespace_declaration",
            XmlError::Malformed(_) => "xml_malformed",
        }
    }
}
