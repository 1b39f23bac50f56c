//! How much of everything the gate lets through. The crate's README has the numbers as a table, and why.

/// What the gate lets through.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) bytes: usize,
    pub(crate) depth: usize,
    pub(crate) elements: usize,
    pub(crate) attributes_per_tag: usize,
    pub(crate) attributes: usize,
    pub(crate) namespaces: usize,
    pub(crate) namespaces_in_scope: usize,
    pub(crate) namespace_uri_bytes: usize,
    pub(crate) comments: usize,
    pub(crate) cdata: bool,
}

/// The deepest nesting any limit allows; the gate keeps one counter per level.
pub(super) const DEEPEST: usize = 32;

impl Limits {
    /// For a Response: [`RESPONSE_BYTES`] of XML, 32 levels, 40 attributes on a tag.
    ///
    /// The number of declarations in scope is what costs; their number in all may be high, because widespread IdP
    /// software declares `xs` and `xsi` again on every AttributeValue, and people are in hundreds of groups.
    ///
    /// [`RESPONSE_BYTES`]: crate::response::RESPONSE_BYTES
    pub(crate) const RESPONSE: Limits = Limits {
        bytes: crate::response::RESPONSE_BYTES,
        depth: DEEPEST,
        elements: 4096,
        attributes_per_tag: 40,
        attributes: 4096,
        namespaces: 2048,
        namespaces_in_scope: 32,
        namespace_uri_bytes: 256,
        comments: 64,
        cdata: false,
    };

    /// For IdP metadata, which an operator supplies: 1 MB, so that a small aggregate passes.
    pub(crate) const METADATA: Limits = Limits {
        bytes: 1 << 20,
        depth: DEEPEST,
        elements: 16_384,
        attributes_per_tag: 40,
        attributes: 16_384,
        namespaces: 8192,
        namespaces_in_scope: 48,
        namespace_uri_bytes: 256,
        comments: 4096,
        cdata: true,
    };
}
