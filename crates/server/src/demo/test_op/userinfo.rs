//! The userinfo endpoint (OpenID Connect Core 5.3).

use crate::demo::test_op::answer::answer;
use crate::demo::test_op::token::Use;
use crate::demo::test_op::{Served, profile};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::json;

/// `GET /userinfo`, `POST /userinfo`
pub async fn userinfo(State(served): State<Served>, headers: HeaderMap) -> Response {
    let op = served.op();
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let sealed =
        bearer.and_then(|text| text.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let opened = sealed.and_then(|(_, sealed)| op.open(sealed, Use::Access, served.idp.app.now()));
    match opened.filter(|(_, person)| !served.is_suspended(&person.email(op.company))) {
        Some((ticket, person)) => {
            answer(StatusCode::OK, &profile::claims(op.profile, op.company, person, &ticket.scopes))
        }
        None => {
            let mut response = answer(StatusCode::UNAUTHORIZED, &json!({"error": "invalid_token"}));
            let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
            response
        }
    }
}
