/** What of APISIX nothing in the configuration is like, and what to use. What is not named here is left out as well, and told. */

const asWritten = 'requests go out as their clients wrote them'
const records = 'calls are recorded in the decision log, and told of by metrics and traces: `telemetry`'
const connections = 'connections to upstreams are kept: `upstreams.*.connections`'
const retries = 'when an upstream fails or has no room, the next one is asked, until there is none left'
const shared = 'replicas share a PostgreSQL and a Valkey of their own here: `store`, `state`'
const refusals = 'a refusal is 429, or 402 for a budget, as clients of each vendor know it'
const keys = 'callers have keys here: `turnward keys create`'
const isAlone = 'there is one upstream, or whichever is nearest to what is said is asked'
const semantic = 'who is asked for what is said by `balance: semantic` of a route, with `examples`: docs/balancing.md'
const tags = 'things have no labels here'
const byPath = 'models are found by their names here, at the paths of each vendor’s API'

export const leftOfInstance = {
  weight: isAlone,
  priority: isAlone,
  checks: 'what an upstream is like shows in the calls that it gets',
  examples: semantic,
  threshold: 'one threshold is for all upstreams of a route',
  catchall: 'an upstream without `examples` is for everything else',
}

/** Of a plugin that asks a model. */
export const leftOfProxy: Readonly<Record<string, string>> = {
  balancer:
    'upstreams are chosen by weight, by conversation (`balance: sticky`) or by what is said (`balance: semantic`); nothing else is chosen by',
  fallback_strategy: retries,
  fallback_http_statuses: retries,
  max_retries: retries,
  retry_on_failure_within_ms: retries,
  logging: records,
  logging_format: records,
  timeout: 'it is no length of time between a millisecond and a day',
  keepalive: connections,
  keepalive_timeout: connections,
  keepalive_pool: connections,
  ssl_verify: 'certificates are always looked at',
  override: asWritten,
  checks: 'what an upstream is like shows in the calls that it gets',
  embeddings: semantic,
  max_req_body_size: 'one limit holds for all requests: `limits.max_body_bytes`',
  max_request_body_size: 'one limit holds for all requests: `limits.max_body_bytes`',
}

/** By the name of the plugin. */
export const leftPlugins: Readonly<Record<string, string>> = {
  'ai-aws-content-moderation': `it asks Amazon Comprehend, which no guard here does; for a guardrail of Bedrock, ${guard('bedrock-guardrails')}`,
  'ai-aliyun-content-moderation': `it asks a service of Aliyun, which no guard here does; in front of an endpoint of yours that does, ${guard('webhook')}`,
  'ai-pii-sanitizer': guard('pii'),
  'ai-request-rewrite': asWritten,
  'ai-rag': asWritten,
  'mcp-bridge': 'MCP servers are for `servers` and `gateways`',
  'openid-connect': 'tokens are for `identity.issuers`',
  'jwt-auth': 'tokens are for `identity.issuers`',
  'basic-auth': keys,
  'hmac-auth': keys,
  'ldap-auth': keys,
  'ip-restriction': 'who reaches the gateway is for the network before it',
  cors: 'pages in a browser do not call models here',
  prometheus: records,
  opentelemetry: records,
  'http-logger': records,
  'file-logger': records,
  'kafka-logger': records,
  'proxy-rewrite': byPath,
  'limit-req': 'requests are counted in windows of a minute and more: `limits.rules`',
  'limit-conn': 'write a limit that counts `concurrent` under `limits.rules`',
}

/** Of the plugins that limit what is used. */
export const leftOfLimits: Readonly<Record<string, string>> = {
  show_limit_quota_header: 'answers say how limits stand, as the vendors say it',
  rejected_code: refusals,
  rejected_msg: refusals,
  policy: 'replicas share what is counted where they share their state: `state`',
  redis_host: shared,
  redis_port: shared,
  redis_username: shared,
  redis_password: shared,
  redis_database: shared,
  redis_timeout: shared,
  redis_ssl: shared,
  redis_ssl_verify: shared,
  redis_cluster_nodes: shared,
  redis_cluster_name: shared,
  allow_degradation: 'a call that cannot be counted does not go on',
  group: 'a limit is for all models that it names',
}

export const leftOfKeyAuth: Readonly<Record<string, string>> = {
  header: 'a key is sent as `authorization: Bearer` or `x-api-key`',
  query: 'a key in an address would be in logs: it is sent in a header',
  hide_credentials: 'a caller’s key is never passed on',
  anonymous_consumer: 'nobody calls without a key',
}

export const leftOfConsumer = {
  id: 'things have no ids beside their names here',
  desc: 'things have no descriptions here',
  labels: tags,
}

export const leftOfRoute = {
  id: 'routes have the names of models here',
  name: 'routes have the names of models here',
  desc: 'things have no descriptions here',
  uri: byPath,
  uris: byPath,
  methods: byPath,
  vars: byPath,
  priority: byPath,
  host: 'which hosts the gateway answers to is for `listen.hosts`',
  hosts: 'which hosts the gateway answers to is for `listen.hosts`',
  remote_addr: 'who reaches the gateway is for the network before it',
  remote_addrs: 'who reaches the gateway is for the network before it',
  status: 'it is switched on',
  timeout: 'how long is waited is said of each upstream: `timeout_ms`',
  upstream: 'the vendor is asked, and not this address',
  upstream_id: 'the vendor is asked, and not this address',
  service_id: 'plugins stand where they are used',
  plugin_config_id: 'plugins stand where they are used',
  labels: tags,
}

/** Sections as a whole. */
export const leftSections: Readonly<Record<string, string>> = {
  upstreams: 'they are addresses of services; models are for `upstreams` here',
  ssls: 'HTTPS is for `listen.tls`',
  stream_routes: 'only models are asked through the gateway',
  secrets: 'secrets come from the environment, or from files: `${NAME}`, `${file:path}`',
  protos: 'only models are asked through the gateway',
  plugin_metadata: 'there are no plugins here',
  plugins: 'there are no plugins here',
}

/** What looks at the words of calls: which kind does the same. */
function guard(kind: string): string {
  return `write a guard of \`kind: ${kind}\` under \`guards\`, and list it at the routes`
}
