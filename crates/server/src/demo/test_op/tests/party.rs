//! A relying party made from `crates/oidc`, which sends its requests by hand.

use crate::demo::companies::Kind;
use crate::demo::stage::Stage;
use crate::demo::test_op::{CLIENT_ID, Op};
use crate::flows::connection_oidc::redirect_uri;
use crate::testing::{Answer, decode_part};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use doorward_oidc::easie::{google, microsoft};
use doorward_oidc::{
    AuthorizationRequest, Callback, ClientAuthentication, CodeVerifier, Expectations, ExpectedIssuer, HttpRequest,
    HttpResponse, IdToken, KeySet, OidcClient, ProviderMetadata, Secret, TokenError, TokenResponse,
    authorization_code_request, refresh_request, verify_id_token,
};

pub const NONCE: &str = "n-0S6_WzA2MjAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
pub const STATE: &str = "s-0S6_WzA2Mj&=<>";

/// At one provider.
pub struct Party<'a> {
    pub stage: &'a Stage,
    pub op: &'a Op,
    pub provider: ProviderMetadata,
    pub redirect_uri: String,
    pub verifier: CodeVerifier,
}

impl<'a> Party<'a> {
    pub async fn at(stage: &'a Stage, slug: &str) -> Self {
        let op = stage.op(slug);
        let document = stage.get(&path(&op.discovery_url())).await;
        assert_eq!(document.status, StatusCode::OK);
        let template = microsoft::issuer_template(&op.discovery_url());
        let url = op.discovery_url();
        let expected = match &template {
            Some(template) => ExpectedIssuer::TenantTemplate(template),
            None => ExpectedIssuer::OfDiscoveryUrl(&url),
        };
        let provider = ProviderMetadata::parse(document.text.as_bytes(), expected).unwrap();
        let redirect_uri = redirect_uri(&stage.server.app.config, &stage.connections[op.index]);
        Self { stage, op, provider, redirect_uri, verifier: CodeVerifier::from_random(&[7; 32]) }
    }

    pub fn additional(&self) -> Vec<(&'static str, &'static str)> {
        match self.op.company.kind {
            Kind::Google => google::authorization_parameters(&["meadow.test"]),
            _ => Vec::new(),
        }
    }

    fn scopes(&self) -> &'static [&'static str] {
        if self.op.company.kind == Kind::Google { google::SCOPES } else { microsoft::SCOPES }
    }

    /// The path and query of an authorization request.
    pub fn request(&self, additional: &[(&str, &str)], challenge: Option<&str>) -> String {
        let url = AuthorizationRequest {
            authorization_endpoint: &self.provider.authorization_endpoint,
            client_id: CLIENT_ID,
            redirect_uri: &self.redirect_uri,
            scopes: self.scopes(),
            state: STATE,
            nonce: NONCE,
            code_challenge: challenge,
            login_hint: Some("erin@initech.test"),
            prompt: None,
            max_age_s: None,
            response_mode: None,
            additional,
        };
        path(&url.url().unwrap())
    }

    /// Where somebody's browser is sent who chooses to be this person.
    pub async fn choose(&self, request: &str, login: &str) -> Answer {
        let people = self.stage.get(request).await;
        assert_eq!(people.status, StatusCode::OK, "{}", people.text);
        let (endpoint, query) = request.split_once('?').unwrap();
        let link = format!("{endpoint}/as/{login}?{query}");
        assert!(people.text.contains(&format!("href=\"{}\"", link.replace('&', "&#38;"))), "{}", people.text);
        self.stage.get(&link).await
    }

    pub async fn code(&self, login: &str, additional: &[(&str, &str)]) -> Secret {
        let back = self.choose(&self.request(additional, Some(&self.verifier.challenge())), login).await;
        assert!(back.location().starts_with(&format!("{}?", self.redirect_uri)), "{}", back.location());
        let query = back.location().split_once('?').unwrap().1;
        let callback = Callback::parse_query(query).unwrap();
        assert_eq!(callback.state(), STATE);
        callback.code(&self.provider).unwrap()
    }

    pub fn client(&self, secret: &'a str) -> OidcClient<'a> {
        OidcClient { client_id: CLIENT_ID, authentication: ClientAuthentication::SecretBasic(secret) }
    }

    pub async fn send(&self, request: HttpRequest) -> Answer {
        let mut sent = Request::builder().method(request.method.as_str()).uri(path(&request.url));
        for (name, value) in request.headers {
            sent = sent.header(name, value);
        }
        self.stage.send(sent.body(Body::from(request.body.unwrap_or_default())).unwrap()).await
    }

    pub async fn exchange_with(&self, code: &Secret, client: &OidcClient<'_>) -> Result<TokenResponse, TokenError> {
        let (uri, verifier) = (&self.redirect_uri, Some(&self.verifier));
        let request = authorization_code_request(&self.provider.token_endpoint, client, code, uri, verifier).unwrap();
        read(&self.send(request).await)
    }

    pub async fn tokens(&self, login: &str, additional: &[(&str, &str)]) -> TokenResponse {
        let code = self.code(login, additional).await;
        self.exchange_with(&code, &self.client(self.op.client_secret())).await.unwrap()
    }

    pub async fn refresh(&self, token: &Secret) -> Result<TokenResponse, TokenError> {
        let client = self.client(self.op.client_secret());
        let request = refresh_request(&self.provider.token_endpoint, &client, token, None).unwrap();
        read(&self.send(request).await)
    }

    pub async fn verified(&self, tokens: &TokenResponse, nonce: Option<&str>) -> IdToken {
        let keys = self.stage.get(&path(self.provider.jwks_uri.as_ref().unwrap())).await;
        let keys = KeySet::parse(keys.text.as_bytes()).unwrap();
        let now = self.stage.server.now();
        let expected = Expectations::of_sign_in(&self.provider, CLIENT_ID, NONCE, &tokens.access_token, now).unwrap();
        let expected = Expectations { nonce, max_age_s: Some(60), ..expected };
        let token = tokens.id_token.as_ref().unwrap().expose();
        assert!(decode_part(token.split('.').nth(1).unwrap())["at_hash"].is_string());
        verify_id_token(token, &keys, &expected).unwrap()
    }
}

pub fn path(url: &str) -> String {
    let url = url::Url::parse(url).unwrap();
    url[url::Position::BeforePath..].to_owned()
}

pub fn read(answer: &Answer) -> Result<TokenResponse, TokenError> {
    let content_type = answer.headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap());
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    TokenResponse::parse(&HttpResponse { status: answer.status.as_u16(), content_type, body: answer.text.as_bytes() })
}
