//! The Backend API of the server under test, called as the operator.

use anyhow::Result;
use serde_json::Value;

use super::http::{Connection, Request};
use crate::server::Server;

pub(super) struct Backend {
    connection: Connection,
    authorization: String,
}

impl Backend {
    pub(super) fn open(server: &Server) -> Result<Self> {
        let authorization = format!("Bearer {}", server.secret_key);
        Ok(Self { connection: Connection::open(&server.base)?, authorization })
    }

    pub(super) fn get(&mut self, path: &str) -> Result<Value> {
        let headers = [("authorization", self.authorization.as_str())];
        self.connection.get(path, &headers)?.json()
    }

    pub(super) fn send(&mut self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let headers = [("authorization", self.authorization.as_str()), ("content-type", "application/json")];
        self.connection.send(&Request { method, path, headers: &headers, body: &body.to_string() })?.json()
    }
}
