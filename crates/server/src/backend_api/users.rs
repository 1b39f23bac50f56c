//! `/v1/users`

use super::organizations::role_set_keys;
use super::wire::membership::membership;
use super::wire::user::{UserView, user};
use super::wire::{Deleted, deleted};
use crate::app::App;
use crate::flows::Refusal;
use crate::flows::organizations::MetadataMode;
use crate::flows::users::{self as flow, Access, NewUser, UserChange, UserMetadataChange};
use crate::http::json::{EMPTY, respond};
use crate::http::pagination::{list as wire_list, order, page, selection};
use crate::http::{ApiError, Field, Params, Path, Query};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use doorward_model::{Email, User, UserId};
use doorward_store::users::{self as store, ListFilter, Order};
use doorward_store::{Direction, Tx, memberships, roles};
use serde_json::{Value, json};
use std::sync::Arc;

/// What a list can be ordered by. Nobody has a wallet or a telephone number, so by these all are equal.
const ORDERS: &[(&str, Order)] = &[
    ("created_at", Order::CreatedAt),
    ("updated_at", Order::UpdatedAt),
    ("email_address", Order::EmailAddress),
    ("web3wallet", Order::CreatedAt),
    ("first_name", Order::FirstName),
    ("last_name", Order::LastName),
    ("phone_number", Order::CreatedAt),
    ("username", Order::Username),
    ("last_active_at", Order::LastActiveAt),
    ("last_sign_in_at", Order::LastSignInAt),
];

const NEWEST_FIRST: (Order, Direction) = (Order::CreatedAt, Direction::Descending);

/// The most organizations a user may be allowed to make.
const MAX_LIMIT: i64 = i32::MAX as i64;

async fn shown(app: &App, found: User) -> Result<Response, ApiError> {
    let mut tx = app.store.read().await?;
    Ok(respond(&user(&UserView::load(&mut tx, found).await?)))
}

/// What a query asks for; `None` if for something nobody has.
fn filter(query: &Query) -> Result<Option<ListFilter>, Refusal> {
    let text = |name: &str| query.text(name).map(str::to_owned);
    // Addresses and usernames are stored in one spelling. A text that is no address is nobody's.
    let stored = |text: String| Email::parse(&text).map_or(text, |address| address.to_string());
    let addresses = query.texts("email_address")?.into_iter().map(stored).collect();
    let usernames = query.texts("username")?.into_iter().map(|name| name.to_lowercase()).collect();
    let filter = ListFilter {
        email_address: addresses,
        external_id: selection(query, "external_id")?,
        username: usernames,
        user_id: selection(query, "user_id")?,
        organization_id: selection(query, "organization_id")?,
        query: text("query"),
        email_address_query: text("email_address_query"),
        username_query: text("username_query"),
        name_query: text("name_query"),
        banned: query.bool("banned")?,
        last_active_at_before: query.int("last_active_at_before")?,
        last_active_at_after: match query.int("last_active_at_since")? {
            // "Since" includes the moment itself.
            Some(since) => Some(since.saturating_sub(1)),
            None => query.int("last_active_at_after")?,
        },
        created_at_before: query.int("created_at_before")?,
        created_at_after: query.int("created_at_after")?,
        last_sign_in_at_before: query.int("last_sign_in_at_before")?,
        last_sign_in_at_after: query.int("last_sign_in_at_after")?,
        older_than: None,
        newer_than: None,
    };
    let lists = ["phone_number", "web3_wallet", "provider_user_id"];
    let mut nobody = query.text("phone_number_query").is_some() || query.text("provider").is_some();
    for name in lists {
        nobody |= !query.texts(name)?.is_empty();
    }
    Ok((!nobody).then_some(filter))
}

/// Turns the id of the last user of a page into the place after it; only the order by creation has such places.
async fn start_after(
    tx: &mut Tx,
    query: &Query,
    order: (Order, Direction),
    filter: &mut ListFilter,
) -> Result<(), ApiError> {
    let Some(id) = query.text("starting_after") else { return Ok(()) };
    let refused = |reason: &str| Refusal::QueryInvalid { param: "starting_after".into(), reason: reason.into() };
    if order.0 != Order::CreatedAt {
        return Err(refused("needs the list to be ordered by created_at").into());
    }
    if query.int("offset")?.is_some_and(|offset| offset > 0) {
        return Err(refused("cannot be combined with offset").into());
    }
    let last = store::by_id(tx, &UserId::from(id)).await?.ok_or_else(|| refused("names no user"))?;
    let place = Some((last.created_at, last.id));
    match order.1 {
        Direction::Descending => filter.older_than = place,
        Direction::Ascending => filter.newer_than = place,
    }
    Ok(())
}

/// A page of users: a bare list.
pub async fn list(State(app): State<Arc<App>>, query: Query) -> Result<Response, ApiError> {
    let order = order(&query, ORDERS, NEWEST_FIRST)?;
    let page = page(&query)?;
    let Some(mut filter) = filter(&query)? else { return Ok(respond(&EMPTY)) };
    let mut tx = app.store.read().await?;
    start_after(&mut tx, &query, order, &mut filter).await?;
    let found = store::list(&mut tx, &filter, order, page).await?;
    let views = UserView::load_all(&mut tx, found).await?;
    Ok(respond(&views.iter().map(user).collect::<Vec<_>>()))
}

/// How many users a list would find.
pub async fn count(State(app): State<Arc<App>>, query: Query) -> Result<Json<Value>, ApiError> {
    let total = match filter(&query)? {
        Some(filter) => store::count(&mut app.store.read().await?, &filter).await?,
        None => 0,
    };
    Ok(Json(json!({"object": "total_count", "total_count": total})))
}

/// One user.
pub async fn get(State(app): State<Arc<App>>, Path(id): Path<UserId>) -> Result<Response, ApiError> {
    let mut tx = app.store.read().await?;
    let found = flow::by_id(&mut tx, &id).await?;
    Ok(respond(&user(&UserView::load(&mut tx, found).await?)))
}

/// Passwords and second factors are none of this instance's methods, so they cannot be set.
fn refuse_other_methods(params: &Params) -> Result<(), Refusal> {
    for param in ["password", "password_digest", "totp_secret", "backup_codes"] {
        if params.has_value(param) {
            let reason = "passwords and second factors are switched off for this instance";
            return Err(Refusal::ParamUnknown { param: param.into(), reason });
        }
    }
    for param in ["phone_number", "web3_wallet"] {
        if params.texts(param)?.value().is_some_and(|values| !values.is_empty()) {
            let reason = "telephone numbers and wallets are switched off for this instance";
            return Err(Refusal::ParamUnknown { param: param.into(), reason });
        }
    }
    Ok(())
}

/// A text that null or emptiness clears.
fn clearable(params: &Params, name: &str) -> Result<Option<Option<String>>, Refusal> {
    Ok(match params.text(name)? {
        Field::Absent => None,
        Field::Null => Some(None),
        Field::Value(text) => Some(Some(text).filter(|text| !text.trim().is_empty())),
    })
}

/// A BCP 47 language tag, roughly: parts of up to eight letters and digits, the first of letters.
fn is_locale(text: &str) -> bool {
    let mut parts = text.split('-');
    let language = parts.next().unwrap_or_default();
    (2..=8).contains(&language.len())
        && language.bytes().all(|b| b.is_ascii_alphabetic())
        && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// Letters, digits, dash and underscore, and at least one that is no digit.
fn is_username(text: &str) -> bool {
    (4..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        && text.bytes().any(|b| !b.is_ascii_digit())
}

fn change(params: &Params) -> Result<UserChange, Refusal> {
    let format = |param: &str, reason: &str| Refusal::ParamFormat { param: param.into(), reason: reason.into() };
    let locale = clearable(params, "locale")?;
    if let Some(Some(text)) = &locale
        && !is_locale(text)
    {
        return Err(format("locale", "must be a BCP 47 language tag such as en-US"));
    }
    let username = clearable(params, "username")?;
    if let Some(Some(text)) = &username
        && !is_username(text)
    {
        return Err(format("username", "must be 4 to 64 letters, digits, - or _, not only digits"));
    }
    Ok(UserChange {
        external_id: clearable(params, "external_id")?,
        username: username.map(|name| name.map(|name| name.to_lowercase())),
        first_name: clearable(params, "first_name")?,
        last_name: clearable(params, "last_name")?,
        locale,
        primary_email_address_id: params.text("primary_email_address_id")?.value().map(Into::into),
        delete_self_enabled: params.bool("delete_self_enabled")?.value(),
        create_organization_enabled: params.bool("create_organization_enabled")?.value(),
        create_organizations_limit: match params.int("create_organizations_limit", 0..=MAX_LIMIT)? {
            Field::Absent => None,
            Field::Null => Some(None),
            Field::Value(limit) => Some(Some(limit)),
        },
        bypass_client_trust: params.bool("bypass_client_trust")?.value(),
        legal_accepted_at: params.time("legal_accepted_at")?.value().map(Some),
        created_at: params.time("created_at")?.value(),
    })
}

/// The addresses of a new user with their states, which run parallel to them.
fn addresses(params: &Params) -> Result<Vec<(Email, bool)>, Refusal> {
    let texts = params.texts("email_address")?.value().unwrap_or_default();
    let statuses = params.texts("email_address_identification_status")?.value().unwrap_or_default();
    if !statuses.is_empty() && statuses.len() != texts.len() {
        let param = "email_address_identification_status";
        return Err(Refusal::ParamLength { param, expected: texts.len() });
    }
    let mut addresses = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        let malformed =
            |_| Refusal::ParamFormat { param: "email_address".into(), reason: "must be a valid email address".into() };
        let is_verified = match statuses.get(index).map(String::as_str) {
            None | Some("verified") => true,
            Some("reserved") => false,
            Some(_) => {
                let param = "email_address_identification_status".into();
                return Err(Refusal::ParamInvalid { param, reason: "must be verified or reserved".into() });
            }
        };
        addresses.push((Email::parse(text).map_err(malformed)?, is_verified));
    }
    Ok(addresses)
}

/// Makes a user.
pub async fn create(State(app): State<Arc<App>>, params: Params) -> Result<Response, ApiError> {
    refuse_other_methods(&params)?;
    let new = NewUser {
        profile: UserChange { primary_email_address_id: None, ..change(&params)? },
        addresses: addresses(&params)?,
        public_metadata: params.object("public_metadata")?.value().unwrap_or_default(),
        private_metadata: params.object("private_metadata")?.value().unwrap_or_default(),
        unsafe_metadata: params.object("unsafe_metadata")?.value().unwrap_or_default(),
        banned: params.bool("banned")?.value().unwrap_or(false),
        locked: params.bool("locked")?.value().unwrap_or(false),
        may_lack_identifier: params.bool("skip_user_requirement")?.value().unwrap_or(false),
    };
    shown(&app, flow::create(&app, &new).await?).await
}

/// Changes a user. Metadata has an operation of its own.
pub async fn update(State(app): State<Arc<App>>, Path(id): Path<UserId>, params: Params) -> Result<Response, ApiError> {
    refuse_other_methods(&params)?;
    for param in ["public_metadata", "private_metadata", "unsafe_metadata"] {
        if params.has(param) {
            return Err(Refusal::ParamDeprecated { param, instead: "PATCH or PUT /users/{id}/metadata" }.into());
        }
    }
    let change = change(&params)?;
    shown(&app, flow::update(&app, &id, &change).await?).await
}

/// Deletes a user.
pub async fn delete(State(app): State<Arc<App>>, Path(id): Path<UserId>) -> Result<Json<Deleted>, ApiError> {
    let gone = flow::delete(&app, &id).await?;
    Ok(deleted("user", gone.id.as_str()))
}

async fn change_metadata(app: &App, id: &UserId, params: &Params, mode: MetadataMode) -> Result<Response, ApiError> {
    let change = UserMetadataChange {
        mode,
        public_metadata: params.object("public_metadata")?.value(),
        private_metadata: params.object("private_metadata")?.value(),
        unsafe_metadata: params.object("unsafe_metadata")?.value(),
    };
    shown(app, flow::update_metadata(app, id, &change).await?).await
}

/// Lays metadata over what is there.
pub async fn merge_metadata(
    State(app): State<Arc<App>>,
    Path(id): Path<UserId>,
    params: Params,
) -> Result<Response, ApiError> {
    change_metadata(&app, &id, &params, MetadataMode::Merge).await
}

/// Puts metadata in the place of what is there.
pub async fn replace_metadata(
    State(app): State<Arc<App>>,
    Path(id): Path<UserId>,
    params: Params,
) -> Result<Response, ApiError> {
    change_metadata(&app, &id, &params, MetadataMode::Replace).await
}

/// The organizations a user is a member of, newest first.
pub async fn organization_memberships(
    State(app): State<Arc<App>>,
    Path(id): Path<UserId>,
    query: Query,
) -> Result<Json<Value>, ApiError> {
    let page = page(&query)?;
    let mut tx = app.store.read().await?;
    let found = flow::by_id(&mut tx, &id).await?;
    let view = UserView::load(&mut tx, found).await?;
    let all_roles = roles::roles(&mut tx).await?;
    let keys = role_set_keys(&mut tx).await?;
    let mut data = Vec::new();
    for (held, organization) in memberships::of_user(&mut tx, &id, page).await? {
        let Some(role) = all_roles.iter().find(|role| role.id == held.role_id) else { continue };
        let key = keys.get(&organization.role_set_id).map(String::as_str);
        data.push(membership(&held, role, &organization, key, Some((&view.user, view.identifier()))));
    }
    Ok(Json(wire_list(data, memberships::count_of_user(&mut tx, &id).await?)))
}

/// Keeps a user from signing in and ends all sessions.
pub async fn ban(State(app): State<Arc<App>>, Path(id): Path<UserId>) -> Result<Response, ApiError> {
    shown(&app, flow::set_access(&app, &id, Access::Ban).await?).await
}

/// Lets a banned user sign in again.
pub async fn unban(State(app): State<Arc<App>>, Path(id): Path<UserId>) -> Result<Response, ApiError> {
    shown(&app, flow::set_access(&app, &id, Access::Unban).await?).await
}

/// Keeps a user from signing in; sessions go on but get no new tokens.
pub async fn lock(State(app): State<Arc<App>>, Path(id): Path<UserId>) -> Result<Response, ApiError> {
    shown(&app, flow::set_access(&app, &id, Access::Lock).await?).await
}

/// Lets a locked user sign in again.
pub async fn unlock(State(app): State<Arc<App>>, Path(id): Path<UserId>) -> Result<Response, ApiError> {
    shown(&app, flow::set_access(&app, &id, Access::Unlock).await?).await
}

#[cfg(test)]
mod tests;
