//! How a client is set up, and the checks before anything is opened.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use ring::digest;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::engine::limit::{Limits, Plan};
use crate::engine::operation::Api;
use crate::engine::url::Root;
use crate::engine::{BoxFuture, Event, Observer, url};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// The product a client talks to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Product {
    /// BloomChats (Instagram DM automation).
    BloomChats,
    /// Blooio, v2 and v4.
    Blooio,
}

impl Product {
    pub(crate) const fn key_variable(self) -> &'static str {
        match self {
            Product::BloomChats => "BLOOMCHATS_API_KEY",
            Product::Blooio => "BLOOIO_API_KEY",
        }
    }

    const fn base_url_variable(self) -> &'static str {
        match self {
            Product::BloomChats => "BLOOMCHATS_BASE_URL",
            Product::Blooio => "BLOOIO_BASE_URL",
        }
    }
}

/// Supplies a credential when the engine asks: before the first attempt of a call and once after a 401.
pub trait CredentialProvider: Send + Sync {
    /// The credential to use now. An error fails the call with [`crate::ErrorKind::Config`].
    fn credential(&self) -> BoxFuture<Result<Secret>>;
}

/// Where the API key comes from.
#[derive(Clone)]
pub enum Credential {
    /// A fixed key.
    Key(Secret),
    /// A source that may renew it.
    Provider(Arc<dyn CredentialProvider>),
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Credential::Key(_) => "Key(…)",
            Credential::Provider(_) => "Provider(…)",
        })
    }
}

/// Which of the two generations of v4 send bodies goes out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SendBody {
    /// The tagged `content` object first, flat fields when the service refuses it.
    #[default]
    Auto,
    /// Always the tagged `content` object where the message has one.
    Content,
    /// Always flat fields.
    Flat,
}

/// A client's configuration. Durations are wall time; the defaults are 60 s a call, 30 s an attempt, 10 s to connect, 2 retries.
///
/// `Debug` shows limits and modes, never the key, nor URLs, which may hold a proxy's password.
#[derive(Clone)]
#[non_exhaustive]
pub struct Config {
    /// Product.
    pub product: Product,
    /// API key or provider; from `BLOOIO_API_KEY` or `BLOOMCHATS_API_KEY` when absent.
    pub credential: Option<Credential>,
    /// Origin (and path prefix) instead of the services' own; `BLOOIO_BASE_URL` or `BLOOMCHATS_BASE_URL` when absent.
    pub base_url: Option<String>,
    /// Sent as `X-Organization-Id`, for OAuth tokens that span several organizations.
    pub organization_id: Option<String>,
    /// The whole call, waits included.
    pub timeout: Duration,
    /// One attempt.
    pub attempt_timeout: Duration,
    /// Making a connection.
    pub connect_timeout: Duration,
    /// Retries after the first attempt, 0 to 10.
    pub max_retries: u32,
    /// Appended to `User-Agent`.
    pub user_agent: Option<String>,
    /// The language named in `User-Agent`.
    pub language: String,
    /// PEM certificates that replace every trust root.
    pub ca_certs: Option<Vec<u8>>,
    /// Proxy for every request instead of the environment's; the empty string means none.
    pub proxy: Option<String>,
    /// Permits `http://` beyond loopback.
    pub allow_http: bool,
    /// Generation of v4 send bodies.
    pub v4_send_body: SendBody,
    /// Limits to keep to. Without a plan only the service's own answers slow a client down.
    pub plan: Option<Plan>,
    limits: Option<Arc<Limits>>,
    pub(crate) observer: Option<Observer>,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Config");
        shown.field("product", &self.product).field("credential", &self.credential);
        shown.field("timeout", &self.timeout).field("attempt_timeout", &self.attempt_timeout);
        shown.field("connect_timeout", &self.connect_timeout).field("max_retries", &self.max_retries);
        shown.field("v4_send_body", &self.v4_send_body).field("plan", &self.plan).finish_non_exhaustive()
    }
}

impl Config {
    /// Defaults for a product; the key still comes from the argument or the environment.
    pub fn new(product: Product) -> Config {
        Config {
            product,
            credential: None,
            base_url: None,
            organization_id: None,
            timeout: Duration::from_secs(60),
            attempt_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            max_retries: 2,
            user_agent: None,
            language: "rust".into(),
            ca_certs: None,
            proxy: None,
            allow_http: false,
            v4_send_body: SendBody::Auto,
            plan: None,
            limits: None,
            observer: None,
        }
    }

    /// Defaults for Blooio.
    pub fn blooio() -> Config {
        Config::new(Product::Blooio)
    }

    /// Defaults for BloomChats.
    pub fn bloomchats() -> Config {
        Config::new(Product::BloomChats)
    }

    /// Sets a fixed API key.
    pub fn with_api_key(mut self, key: impl Into<Secret>) -> Config {
        self.credential = Some(Credential::Key(key.into()));
        self
    }

    /// Sets a provider that is asked for the key.
    pub fn with_provider(mut self, provider: impl CredentialProvider + 'static) -> Config {
        self.credential = Some(Credential::Provider(Arc::new(provider)));
        self
    }

    /// Sets the base URL.
    pub fn with_base_url(mut self, url: impl Into<String>) -> Config {
        self.base_url = Some(url.into());
        self
    }

    /// Keeps to a plan's limits, shared with the process' other clients of the same key.
    pub fn with_plan(mut self, plan: Plan) -> Config {
        self.plan = Some(plan);
        self
    }

    /// Shares limits with the clients of `limits` instead of the whole process.
    pub fn with_limits(mut self, limits: Arc<Limits>) -> Config {
        self.limits = Some(limits);
        self
    }

    /// Has `observer` told of every attempt and call, on the thread that drives it. It must return soon and not panic.
    pub fn with_observer(mut self, observer: impl Fn(&Event) + Send + Sync + 'static) -> Config {
        self.observer = Some(Arc::new(observer));
        self
    }

    pub(crate) fn limits(&self) -> Arc<Limits> {
        self.limits.clone().unwrap_or_else(Limits::global)
    }

    /// Names what this client is built into, for `User-Agent`.
    pub fn with_language(mut self, language: impl Into<String>) -> Config {
        self.language = language.into();
        self
    }

    /// Reads the JSON form that bindings pass.
    pub fn from_json(json: &[u8]) -> Result<Config> {
        // By way of a `Value`: code that reads each field from text would add 11 kB to a wheel's library.
        let given = serde_json::from_slice::<Value>(json).and_then(Given::deserialize);
        let given = given.map_err(|_| Error::config(misfit(json)))?;
        let mut config = Config::new(given.product);
        config.credential = given.api_key.map(|key| Credential::Key(key.into()));
        config.base_url = given.base_url;
        config.organization_id = given.organization_id;
        config.user_agent = given.user_agent;
        config.proxy = given.proxy;
        config.ca_certs = given.ca_certs.map(String::into_bytes);
        config.allow_http = given.allow_http;
        config.v4_send_body = given.v4_send_body;
        config.plan = given.plan.map(GivenPlan::read).transpose()?;
        let ms = |value: Option<u64>, default| value.map_or(default, Duration::from_millis);
        config.timeout = ms(given.timeout_ms, config.timeout);
        config.attempt_timeout = ms(given.attempt_timeout_ms, config.attempt_timeout);
        config.connect_timeout = ms(given.connect_timeout_ms, config.connect_timeout);
        config.max_retries = given.max_retries.unwrap_or(config.max_retries);
        if let Some(language) = given.language {
            config.language = language;
        }
        Ok(config)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    product: Product,
    api_key: Option<String>,
    base_url: Option<String>,
    organization_id: Option<String>,
    timeout_ms: Option<u64>,
    attempt_timeout_ms: Option<u64>,
    connect_timeout_ms: Option<u64>,
    max_retries: Option<u32>,
    user_agent: Option<String>,
    language: Option<String>,
    ca_certs: Option<String>,
    proxy: Option<String>,
    #[serde(default)]
    allow_http: bool,
    #[serde(default)]
    v4_send_body: SendBody,
    plan: Option<GivenPlan>,
}

const RETRIES: &str = "max_retries: must be 0 to 10";
const PLANS: &str = "plan: must be pro, growth or business, or numbers per_minute and per_day";

/// A plan by name, or its numbers.
#[derive(Deserialize)]
#[serde(untagged)]
enum GivenPlan {
    Name(String),
    Numbers(Plan),
}

impl GivenPlan {
    fn read(self) -> Result<Plan> {
        match self {
            GivenPlan::Numbers(plan) => Ok(plan),
            GivenPlan::Name(name) => Plan::named(&name).ok_or_else(|| Error::config(PLANS)),
        }
    }
}

/// Which setting is wrong, and what it should be: each is tried alone.
fn misfit(json: &[u8]) -> String {
    let settings: Map<String, Value> = serde_json::from_slice(json).unwrap_or_default();
    let problem = |(name, value): (&String, &Value)| {
        let alone = json!({"product": settings.get("product"), name: value});
        Given::deserialize(alone).err().map(|error| describe(name, &error.to_string()))
    };
    settings.iter().find_map(problem).unwrap_or_else(|| "the settings are not an object of JSON with a product".into())
}

/// serde quotes the offending value, which may be a key; only what it expected is told.
fn describe(name: &str, error: &str) -> String {
    if error.starts_with("unknown field") {
        return format!("unknown setting `{name}`");
    }
    let expected = match (name, error.rsplit_once(", expected ")) {
        ("max_retries", _) => return RETRIES.to_owned(),
        ("plan", _) => return PLANS.to_owned(),
        (_, Some((_, "u64"))) => "a whole number of ms",
        (_, Some((_, "a boolean"))) => "true or false",
        (_, Some((_, expected))) => expected,
        (_, None) => "something else",
    };
    format!("{name}: must be {expected}")
}

/// A credential, as calls use it: each time as the value of [`Settings::credential_header`].
pub(crate) enum Source {
    Key(HeaderValue),
    Provider(Arc<dyn CredentialProvider>),
}

/// A checked configuration, as the engine uses it.
pub(crate) struct Settings {
    pub credential: Source,
    pub organization_id: Option<HeaderValue>,
    pub timeout: Duration,
    pub attempt_timeout: Duration,
    pub max_retries: u32,
    pub v4_send_body: SendBody,
    pub product: Product,
    pub plan: Option<Plan>,
    base_url: Option<String>,
    roots: [Root; 3],
}

impl Settings {
    pub fn check(config: &Config) -> Result<Settings> {
        let product = config.product;
        let credential = match &config.credential {
            Some(Credential::Key(key)) => Source::Key(credential_value(product, key)?),
            Some(Credential::Provider(provider)) => Source::Provider(provider.clone()),
            None => match environment(product.key_variable()) {
                Some(key) => Source::Key(credential_value(product, &key.into())?),
                None => {
                    return Err(Error::config(format!(
                        "no API key: pass api_key, or set the environment variable {}",
                        product.key_variable()
                    )));
                }
            },
        };
        check_retries(config.max_retries)?;
        for (name, value) in [
            ("timeout", config.timeout),
            ("attempt_timeout", config.attempt_timeout),
            ("connect_timeout", config.connect_timeout),
        ] {
            if value.is_zero() {
                return Err(Error::config(format!("{name}: must be longer than 0")));
            }
        }
        let organization_id = config.organization_id.as_deref().map(|id| visible("organization_id", id)).transpose()?;
        if let Some(suffix) = &config.user_agent {
            visible("user_agent", suffix)?;
        }
        if let Some(plan) = config.plan {
            plan.check()?;
        }
        let base_url = match config.base_url.clone().or_else(|| environment(product.base_url_variable())) {
            Some(given) => Some(url::base(&given, config.allow_http)?),
            None => None,
        };
        let root = |origin, prefix| Root::new(base_url.as_deref().unwrap_or(origin), prefix);
        let roots = [
            root("https://api.bloomchats.com", "/api")?,
            root("https://backend.blooio.com", "/v2/api")?,
            root("https://api.blooio.com", "/v4")?,
        ];
        Ok(Settings {
            credential,
            organization_id,
            timeout: config.timeout,
            attempt_timeout: config.attempt_timeout,
            max_retries: config.max_retries,
            v4_send_body: config.v4_send_body,
            product,
            plan: config.plan,
            base_url,
            roots,
        })
    }

    /// What a limit belongs to, hashed: product, origin and key. A provider's keys come and go, so it stands for itself.
    pub fn identity(&self) -> [u8; 32] {
        let root = match self.product {
            Product::BloomChats => self.root(Api::BloomChats),
            Product::Blooio => self.root(Api::BlooioV2),
        };
        let origin = format!("{:?} {}:{}{}\n", self.product, root.host(), root.port(), root.prefix());
        let mut hash = digest::Context::new(&digest::SHA256);
        hash.update(origin.as_bytes());
        match &self.credential {
            Source::Key(key) => hash.update(key.as_bytes()),
            Source::Provider(provider) => hash.update(format!("\n{:p}", Arc::as_ptr(provider)).as_bytes()),
        }
        let mut identity = [0; 32];
        identity.copy_from_slice(hash.finish().as_ref());
        identity
    }

    /// Whether requests go to a loopback stand-in (or a network the caller vouches for), which no proxy can reach.
    pub fn is_plain_http(&self) -> bool {
        self.base_url.as_deref().is_some_and(|url| url.starts_with("http://"))
    }

    /// Origins and prefixes of the product's APIs.
    pub fn roots(&self) -> &[Root] {
        let [bloomchats, blooio @ ..] = &self.roots;
        match self.product {
            Product::BloomChats => std::slice::from_ref(bloomchats),
            Product::Blooio => blooio,
        }
    }

    /// Origin and prefix of an API.
    pub fn root(&self, api: Api) -> &Root {
        let [bloomchats, v2, v4] = &self.roots;
        match api {
            Api::BloomChats => bloomchats,
            Api::BlooioV2 => v2,
            Api::BlooioV4 => v4,
        }
    }

    /// The header that carries the credential.
    pub fn credential_header(&self) -> HeaderName {
        match self.product {
            Product::BloomChats => HeaderName::from_static("x-api-key"),
            Product::Blooio => AUTHORIZATION,
        }
    }
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Checks a key and puts it into the form in which it goes out.
pub(crate) fn credential_value(product: Product, key: &Secret) -> Result<HeaderValue> {
    let refuse = || {
        Error::config(
            "api_key: holds a blank, a line break or a character beyond ASCII; copy it again without what surrounds it",
        )
    };
    if key.expose().is_empty() {
        return Err(Error::config("api_key: is empty"));
    }
    if !key.expose().bytes().all(|b| b.is_ascii_graphic()) {
        return Err(refuse());
    }
    let scheme = match product {
        Product::BloomChats => "",
        Product::Blooio => "Bearer ",
    };
    key.header(scheme).map_err(|_| refuse())
}

pub(crate) fn check_retries(retries: u32) -> Result<()> {
    if retries > 10 {
        return Err(Error::config(RETRIES));
    }
    Ok(())
}

fn visible(name: &str, value: &str) -> Result<HeaderValue> {
    let is_visible = !value.is_empty() && value.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
    let value = is_visible.then(|| HeaderValue::from_str(value).ok()).flatten();
    value.ok_or_else(|| Error::config(format!("{name}: must be visible ASCII")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_that_is_wrong_is_named_and_not_quoted() {
        for (setting, told) in [
            (r#""user_agent": 77"#, "user_agent: must be a string"),
            (r#""allow_http": "77""#, "allow_http: must be true or false"),
            (r#""timeout_ms": -77"#, "timeout_ms: must be a whole number of ms"),
            (r#""max_retries": true"#, "max_retries: must be 0 to 10"),
            (r#""v4_send_body": "77""#, "v4_send_body: must be one of `auto`, `content`, `flat`"),
            (r#""plan": {"per_min": 77}"#, "plan: must be pro, growth or business, or numbers per_minute and per_day"),
            (r#""api_key": ["77"]"#, "api_key: must be a string"),
            (r#""agent": 77"#, "unknown setting `agent`"),
        ] {
            let json = format!(r#"{{"product": "blooio", "base_url": "http://localhost", {setting}}}"#);
            let message = Config::from_json(json.as_bytes()).err().map(|error| error.to_string());
            assert!(
                message.as_ref().is_some_and(|message| message.contains(told) && !message.contains("77")),
                "{message:?}"
            );
        }
    }
}
