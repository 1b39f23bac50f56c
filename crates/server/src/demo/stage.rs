//! The demo's identity providers as tests see them: in process, and on loopback for the server that reads their documents.

use crate::demo::companies::{COMPANIES, Company};
use crate::demo::seed;
use crate::demo::test_idp::{TestIdp, router};
use crate::demo::test_op::Op;
use crate::testing::{Answer, TestApp};
use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use doorward_model::EnterpriseConnection;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tower::ServiceExt as _;

/// A folder of its own for each test.
pub fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("doorward-demo-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    super::prepare(&folder).unwrap();
    folder
}

/// Identity providers with a server that knows them.
pub struct Stage {
    pub server: TestApp,
    pub idp: Arc<TestIdp>,
    pub router: Router,
    pub base: String,
    pub connections: Vec<EnterpriseConnection>,
    folder: PathBuf,
}

impl Stage {
    pub async fn new(name: &str) -> Self {
        let (server, folder) = (TestApp::new().await, folder(name));
        let (idp, base, connections) = serve_and_seed(&server, &folder).await;
        Self { router: router(&idp), server, idp, base, connections, folder }
    }

    pub fn company(&self, slug: &str) -> &'static Company {
        COMPANIES.iter().find(|company| company.slug == slug).unwrap()
    }

    pub fn op(&self, slug: &str) -> &Op {
        self.idp.op(self.company(slug)).unwrap()
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        Answer::read(self.router.clone().oneshot(request).await.unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// Posts a form, with one header more unless its name is empty.
    pub async fn post(&self, path: &str, form: &[(&str, &str)], (name, value): (&str, &str)) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let mut request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if !name.is_empty() {
            request = request.header(name, value);
        }
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    /// Suspends or restores somebody, by the form.
    pub async fn set(&self, email: &str, action: &str) {
        let changed = self.post("/people", &[("person", email), ("action", action)], ("origin", &self.base)).await;
        assert_eq!(changed.location(), "/");
    }

    pub async fn close(self) {
        std::fs::remove_dir_all(&self.folder).unwrap();
        self.server.close().await;
    }
}

/// The identity providers of a data directory, listening on a port of their own, and the connections to them.
pub async fn serve_and_seed(server: &TestApp, folder: &Path) -> (Arc<TestIdp>, String, Vec<EnterpriseConnection>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let idp = TestIdp::load(server.app.clone(), folder, &base, "http://127.0.0.1:4402").unwrap();
    let routes = router(&idp);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let connections = seed::run(&server.app, &idp).await.unwrap();
    idp.trust(connections.clone());
    (idp, base, connections)
}
