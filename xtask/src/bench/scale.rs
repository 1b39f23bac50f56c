//! Whether an operation costs among a million organizations what it costs among a thousand.
//!
//! The server and, where it is a process of its own, the database are counted together: growth may show in either.

use std::fs;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::backend::Backend;
use super::identity_provider::IdentityProvider;
use super::median;
use super::process;
use super::sign_in::{self, Browser, address, connection_to};
use super::table::{Row, Table, Value as Measured};
use crate::conformance::Database;
use crate::postgres::Postgres;
use crate::server::{Place, Server};
use crate::{shell, workspace};

const FEW: usize = 1_000;
const MANY: usize = 1_000_000;
const BUSY: usize = 100;
const ROUNDS: usize = 7;
/// The most that an operation among many may cost, in costs of the same among few.
const MOST: f64 = 1.2;

struct Operation {
    name: &'static str,
    /// Whether it is held to the target. What looks at every row, as `docs/decisions/0005-scale.md` explains, is only shown.
    is_judged: bool,
    run: fn(&mut Operator<'_>) -> Result<()>,
}

const fn operation(name: &'static str, run: fn(&mut Operator<'_>) -> Result<()>) -> Operation {
    Operation { name, is_judged: true, run }
}

const fn scan(name: &'static str, run: fn(&mut Operator<'_>) -> Result<()>) -> Operation {
    Operation { name, is_judged: false, run }
}

const OPERATIONS: &[Operation] = &[
    operation("whole SAML sign-in", |operator| operator.sign_in()),
    operation("token refresh", |operator| operator.refresh()),
    operation("get organization by id", |operator| {
        let id = operator.organization();
        operator.get(&format!("/v1/organizations/{id}"))
    }),
    operation("get organization by slug", |operator| {
        let number = operator.next();
        operator.get(&format!("/v1/organizations/company-{number:09}"))
    }),
    operation("create organization", |operator| operator.send("POST", "/v1/organizations", &json!({ "name": "New" }))),
    operation("update organization", |operator| {
        let id = operator.organization();
        operator.send("PATCH", &format!("/v1/organizations/{id}"), &json!({ "name": format!("Renamed {id}") }))
    }),
    operation("list organizations", |operator| operator.get("/v1/organizations?limit=10")),
    operation("list organizations by name", |operator| operator.get("/v1/organizations?limit=10&order_by=name")),
    scan("search organizations", |operator| operator.get("/v1/organizations?limit=10&query=ny-000000999")),
    operation("get user", |operator| {
        let id = operator.user();
        operator.get(&format!("/v1/users/{id}"))
    }),
    operation("list users", |operator| operator.get("/v1/users?limit=10")),
    operation("list users by first name", |operator| operator.get("/v1/users?limit=10&order_by=first_name")),
    scan("list users by last sign-in", |operator| operator.get("/v1/users?limit=10&order_by=-last_sign_in_at")),
    operation("list users by email address", |operator| {
        let number = operator.next();
        operator.get(&format!("/v1/users?email_address=person@company{number:09}.test"))
    }),
    operation("count users", |operator| operator.get("/v1/users/count")),
    operation("create user", |operator| {
        let address = format!("new{}@people.test", operator.next_new());
        operator.send("POST", "/v1/users", &json!({ "email_address": [address] }))
    }),
    operation("list memberships of an organization", |operator| {
        let id = operator.organization();
        operator.get(&format!("/v1/organizations/{id}/memberships"))
    }),
    operation("list memberships of a user", |operator| {
        let id = operator.user();
        operator.get(&format!("/v1/users/{id}/organization_memberships"))
    }),
    operation("list all memberships", |operator| operator.get("/v1/organization_memberships?limit=10")),
    operation("get enterprise connection", |operator| {
        let id = operator.connection();
        operator.get(&format!("/v1/enterprise_connections/{id}"))
    }),
    operation("list enterprise connections", |operator| operator.get("/v1/enterprise_connections?limit=10")),
    scan("list active enterprise connections", |operator| {
        operator.get("/v1/enterprise_connections?limit=10&active=true")
    }),
    operation("list enterprise connections of an organization", |operator| {
        let id = operator.organization();
        operator.get(&format!("/v1/enterprise_connections?organization_id={id}"))
    }),
    operation("create enterprise connection", |operator| {
        let domain = format!("new{}.test", operator.next_new());
        let connection = connection_to(&operator.idp.describe()?, &domain, &Value::Null);
        operator.send("POST", "/v1/enterprise_connections", &connection)
    }),
    operation("list sessions of a user", |operator| {
        let id = operator.user();
        operator.get(&format!("/v1/sessions?paginated=true&user_id={id}"))
    }),
];

/// A filled database: where it is, and the ids that those of the copies are made from.
struct Filled {
    place: Place,
    organizations: usize,
    organization: String,
    connection: String,
    user: String,
}

impl Drop for Filled {
    /// Gigabytes that nobody needs again.
    fn drop(&mut self) {
        let _removed = fs::remove_dir_all(&self.place.folder);
    }
}

impl Filled {
    fn new(place: Place, organizations: usize, idp: &mut IdentityProvider) -> Result<Self> {
        let server = place.start(&workspace::binary("release"))?;
        let [organization, connection] = sign_in::prepare(&server, idp)?;
        Browser::open(&server)?.sign_in(&address(0), idp)?;
        let users = Backend::open(&server)?.get("/v1/users")?;
        drop(server);
        let id = |object: &Value| object["id"].as_str().map(str::to_owned).context("an object without id");
        let (organization, connection, user) = (id(&organization)?, id(&connection)?, id(&users[0])?);
        let program = ["run", "--release", "--locked", "-q", "-p", "doorward-store", "--example", "fill", "--"];
        let arguments = [place.database_url.as_str(), &organizations.to_string()];
        shell::run(workspace::cargo().args(program).args(arguments))?;
        Ok(Self { place, organizations, organization, connection, user })
    }
}

/// Calls one server, each time about another of its organizations.
struct Operator<'a> {
    filled: &'a Filled,
    server: &'a Server,
    backend: Backend,
    browser: Browser<'a>,
    session: String,
    idp: IdentityProvider,
    turns: usize,
}

impl<'a> Operator<'a> {
    fn new(filled: &'a Filled, server: &'a Server) -> Result<Self> {
        let (backend, browser) = (Backend::open(server)?, Browser::open(server)?);
        let idp = IdentityProvider::start()?;
        Ok(Self { filled, server, backend, browser, session: String::new(), idp, turns: 0 })
    }

    /// The number of a busy organization. There are as many of them among few as among many, from the oldest to the newest, so
    /// that the difference is what the others cost, and not how much of the database a cache can hold.
    fn next(&mut self) -> usize {
        self.turns += 1;
        1 + self.turns % BUSY * (self.filled.organizations / BUSY)
    }

    fn next_new(&mut self) -> usize {
        self.turns += 1;
        self.turns
    }

    /// The id that a copy has in the place of `id`.
    fn copy(&mut self, id: fn(&Filled) -> &str) -> String {
        let (number, id) = (self.next(), id(self.filled));
        format!("{}{number:09}", &id[..id.len() - 9])
    }

    fn organization(&mut self) -> String {
        self.copy(|filled| &filled.organization)
    }

    fn connection(&mut self) -> String {
        self.copy(|filled| &filled.connection)
    }

    fn user(&mut self) -> String {
        self.copy(|filled| &filled.user)
    }

    fn get(&mut self, path: &str) -> Result<()> {
        self.backend.get(path).map(drop)
    }

    fn send(&mut self, method: &str, path: &str, body: &Value) -> Result<()> {
        self.backend.send(method, path, body).map(drop)
    }

    fn sign_in(&mut self) -> Result<()> {
        let number = self.next();
        self.session = self.browser.sign_in(&format!("person@company{number:09}.test"), &mut self.idp)?;
        Ok(())
    }

    fn refresh(&mut self) -> Result<()> {
        self.browser.refresh(&self.session)
    }
}

/// CPU microseconds of one operation.
#[derive(Clone, Copy)]
struct Cost {
    server: f64,
    database: f64,
}

fn cpu_us(operator: &Operator<'_>, postgres: Option<&Postgres>) -> Result<Cost> {
    let database = postgres.map_or(Ok(0.0), |postgres| process::cpu_us_of_children(postgres.pid()))?;
    Ok(Cost { server: process::cpu_us(operator.server.pid)?, database })
}

fn cost(operation: &Operation, operator: &mut Operator<'_>, postgres: Option<&Postgres>) -> Result<Cost> {
    let times = if operation.is_judged { BUSY } else { 1 };
    let carry_out =
        |operator: &mut Operator<'_>| (0..times).try_for_each(|_| (operation.run)(operator)).context(operation.name);
    if operation.is_judged {
        // What other operations have driven out of the caches comes back first.
        carry_out(operator)?;
    }
    let begin = cpu_us(operator, postgres)?;
    carry_out(operator)?;
    let (end, times) = (cpu_us(operator, postgres)?, times as f64);
    Ok(Cost { server: (end.server - begin.server) / times, database: (end.database - begin.database) / times })
}

/// `postgres` is the cluster if the database is one of its.
pub(super) fn measure(
    database: &str,
    postgres: Option<&Postgres>,
    idp: &mut IdentityProvider,
    table: &mut Table,
) -> Result<()> {
    let kind = postgres.map_or(Database::Sqlite, |postgres| Database::Postgres(Some(postgres)));
    for pid in [Some(std::process::id()), postgres.map(Postgres::pid)].into_iter().flatten() {
        process::keep_on_one_processor(pid)?;
    }
    let few = Filled::new(kind.place("scale_few")?, FEW, idp)?;
    let many = Filled::new(kind.place("scale_many")?, MANY, idp)?;
    let binary = workspace::binary("release");
    let servers = [few.place.start(&binary)?, many.place.start(&binary)?];
    let mut operators = [Operator::new(&few, &servers[0])?, Operator::new(&many, &servers[1])?];
    println!("{ROUNDS} rounds among {FEW} and {MANY} organizations on {database} …");
    // All take turns, so that a busy machine slows all of them alike.
    let mut costs = vec![[Vec::new(), Vec::new()]; OPERATIONS.len()];
    for _ in 0..ROUNDS {
        for (operation, costs) in OPERATIONS.iter().zip(&mut costs) {
            for (operator, costs) in operators.iter_mut().zip(costs) {
                costs.push(cost(operation, operator, postgres)?);
            }
        }
    }
    for (operation, costs) in OPERATIONS.iter().zip(&costs) {
        table.add(row(operation, database, costs));
    }
    Ok(())
}

fn row(operation: &Operation, database: &str, costs: &[Vec<Cost>; 2]) -> Row {
    let medians = |part: fn(&Cost) -> f64| costs.each_ref().map(|costs| median(costs.iter().map(part).collect()));
    let ratio = |[few, many]: [f64; 2]| many / few;
    let [few, many] = medians(|cost| cost.server + cost.database);
    let mut measure = format!("{}, {MANY} organizations, {database}", operation.name);
    if costs[0].iter().any(|cost| cost.database > 0.0) {
        let (server, of_database) = (medians(|cost| cost.server), medians(|cost| cost.database));
        measure = format!("{measure} (server {:.2} x, database {:.2} x)", ratio(server), ratio(of_database));
    }
    let base = Some(("at 1000", few));
    Row { measure, value: Measured::CpuMicroseconds(many), base, target: operation.is_judged.then_some(MOST) }
}
