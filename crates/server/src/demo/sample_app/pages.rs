//! The pages of the application.

use crate::demo::companies::Company;
use askama::Template;

#[derive(Template)]
#[template(path = "demo/app_signed_out.html")]
pub struct SignedOutPage<'a> {
    pub sign_in_url: String,
    pub notice: Option<String>,
    pub companies: &'static [Company],
    pub idp: &'a str,
    /// Within what time a suspended person is out.
    pub time: String,
}

impl SignedOutPage<'_> {
    /// Companies at which the server keeps asking.
    fn watched(&self) -> String {
        let watched = self.companies.iter().filter(|company| company.kind.is_watched());
        watched.map(|company| company.name).collect::<Vec<_>>().join(" or ")
    }

    /// Addresses that must be kept out.
    fn outsiders(&self) -> Vec<String> {
        let of = |company: &Company| company.outsider.as_ref().map(|(person, _)| person.email(company));
        self.companies.iter().filter_map(of).collect()
    }
}

#[derive(Template)]
#[template(path = "demo/app_signed_in.html")]
pub struct SignedInPage {
    pub name: String,
    pub email: String,
    pub organization: Option<(String, String)>,
    pub role: String,
    pub header: String,
    pub claims: String,
    pub kid: String,
    pub jwks_url: String,
    pub sign_out_url: String,
    /// Whether the server keeps asking if this person is still there.
    pub is_watched: bool,
    pub idp: String,
    pub time: String,
}
