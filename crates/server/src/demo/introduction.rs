//! What the demo says on the console once everything answers.

use crate::config::Config;
use crate::demo::companies::{COMPANIES, Company, Person};
use crate::demo::{DemoOptions, origin};
use anyhow::Context as _;
use std::time::Duration;

/// Within what time a suspended person is out, in words.
pub fn check_time(config: &Config) -> String {
    let seconds = config.easie_check_interval / 1000;
    match (seconds, seconds / 60, seconds % 60) {
        (1, _, _) => "a second".into(),
        (60, _, _) => "a minute".into(),
        (_, minutes, 0) => format!("{minutes} minutes"),
        _ => format!("{seconds} seconds"),
    }
}

/// Says what to open once all answer.
pub async fn introduce_when_ready(config: &Config, options: &DemoOptions) -> anyhow::Result<()> {
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?;
    let own = origin(config.listen);
    for url in [format!("{own}/v1/health"), origin(options.idp_listen), origin(options.app_listen)] {
        let answer = client.get(&url).send().await.and_then(reqwest::Response::error_for_status);
        answer.with_context(|| format!("{url} does not answer"))?;
    }
    lines(config, options).iter().try_for_each(|line| crate::say(line))
}

fn lines(config: &Config, options: &DemoOptions) -> Vec<String> {
    let (server, folder) = (&config.public_url, options.data_dir.display());
    let (application, idp) = (origin(options.app_listen), origin(options.idp_listen));
    let mut lines = vec![
        String::new(),
        "Doorward demo".into(),
        String::new(),
        format!("  Open      {application}   the sample application"),
        String::new(),
    ];
    for (index, company) in COMPANIES.iter().enumerate() {
        let lead = if index == 0 { "Be" } else { "" };
        lines.push(format!("  {lead:<9} {}", whom_to_be(company)));
    }
    lines.push(String::new());
    if let Some((company, person)) = first_watched() {
        let first_name = person.first_name;
        lines.push(format!(
            "  Try       Sign in as {first_name}, suspend {first_name} at {idp}, reload the application:"
        ));
        lines.push(format!("            out within {}, because {} says so", check_time(config), company.name));
        lines.push(String::new());
    }
    lines.extend([
        format!("  Also      {server}/sign-in   the hosted sign-in page"),
        format!("            {idp}   the test identity providers: they ask for no password"),
        format!("            {folder}   the data; delete it to start afresh"),
        String::new(),
        format!("  Keys      publishable  {}", config.publishable_key),
        format!("            secret       in {folder}/secret-key, for example:"),
        format!("            curl -H \"Authorization: Bearer $(cat '{folder}/secret-key')\" {server}/v1/users"),
        String::new(),
        "  Stop      Ctrl-C".into(),
        String::new(),
        format!("ready {server}"),
    ]);
    lines
}

/// Somebody of whose suspension the server learns.
fn first_watched() -> Option<(&'static Company, &'static Person)> {
    COMPANIES
        .iter()
        .filter(|company| company.kind.is_watched())
        .find_map(|company| Some((company, company.people.first()?)))
}

fn whom_to_be(company: &Company) -> String {
    let (newcomer, name, kind) = (company.newcomer, company.name, company.kind.title());
    let first = company.people.first().map(|person| person.email(company)).unwrap_or_default();
    let others: Vec<&str> = company.people.iter().skip(1).map(|person| person.login).collect();
    format!("{first:<18}  becomes {newcomer} of {name} by {kind}; also {}", others.join(", "))
}
