/** What of Kong nothing in the configuration is like, and what to use. What is not named here is left out as well, and told. */

const isNone = 'it is written into no request to a model that was taken over'
const asWritten = 'requests go out as their clients wrote them'
const records = 'calls are recorded in the decision log, and told of by metrics and traces: `telemetry`'
const azureTokens = 'tokens of Azure are not fetched here: add a credential with a key, or `auth: token`'
export const assumedRole = 'a role that is taken on is not there yet: give this machine the role, or keys of it'
const balancing = 'there is one upstream, or none is chosen like this here'
const retries =
  'when an upstream fails, the next one is asked, until there is none left; `routes[].retries.attempts` says how often they are all asked again'
const notBodies =
  'what it answers again is found by an address, not by what a request says: say `cache: { kind: exact }` on the routes if answers may be given again'
const semantic = 'who is asked for what is said by `balance: semantic` of a route, with `examples`: docs/balancing.md'
const vectors = 'vectors of examples are kept in the memory of each process'

export const leftOfAuth = {
  allow_override: 'clients never choose a credential of a vendor',
  azure_use_managed_identity: azureTokens,
  azure_client_id: azureTokens,
  azure_client_secret: azureTokens,
  azure_tenant_id: azureTokens,
  gcp_use_service_account: 'which credential is used is said by `google`',
}

export const leftOfOptions = {
  max_tokens: isNone,
  temperature: isNone,
  top_p: isNone,
  top_k: isNone,
  anthropic_version: 'the gateway says which version it speaks',
  llama2_format: 'Chat Completions are spoken with it',
  mistral_format: 'Chat Completions are spoken with it',
  upstream_path: 'each operation has its own path below the address of the upstream',
  azure_instance: 'the address is said by another setting',
}

export const leftOfBalancer = {
  algorithm: balancing,
  hash_on_header: balancing,
  latency_strategy: balancing,
  tokens_count_strategy: balancing,
  slots: balancing,
  retries,
  failover_criteria: 'the next upstream is asked after connection errors, timeouts, 429 and 5xx, whatever the criteria',
  max_fails: 'it is no number of failures from 1 to 1000',
  fail_timeout: 'it is no length of time between a millisecond and a day',
  write_timeout: 'what is sent is not timed by itself',
  connect_timeout: 'it is said of no model that was taken over',
  read_timeout: 'it is said of no model that was taken over',
}

/** Of a plugin that asks a model, and of its targets. */
export const leftOfProxy: Readonly<Record<string, string>> = {
  route_type: 'what a request is for shows in its path',
  llm_format: 'every dialect has a path of its own, for every model',
  genai_category: 'what a request is for shows in its path',
  response_streaming: 'whether an answer is streamed is for its client',
  max_request_body_size: 'one limit holds for all requests: `limits.max_body_bytes`',
  model_name_header: 'the decision log says which model was asked',
  logging: records,
  weight: balancing,
  description: semantic,
  embeddings: semantic,
  vectordb: vectors,
  acls: 'who may ask for what is for `grants`',
}

/** By the name of the plugin. */
export const leftPlugins: Readonly<Record<string, string>> = {
  'ai-custom-guardrail': guard('webhook'),
  'ai-prompt-compressor': asWritten,
  'ai-rag-injector': asWritten,
  'ai-request-transformer': asWritten,
  'ai-response-transformer': 'answers go out as their models wrote them',
  'ai-llm-as-judge': guard('judge'),
  'ai-mcp-proxy': 'MCP servers are for `servers` and `gateways`',
  'ai-mcp-oauth2': 'tokens are for `identity.issuers` and `identity.oauth`',
  'ai-a2a-proxy': 'calls between agents are not passed on',
  'openid-connect': 'tokens are for `identity.issuers`',
  jwt: 'tokens are for `identity.issuers`',
  oauth2: 'tokens are for `identity.oauth`',
  'mtls-auth': 'certificates are for `identity.certificates`',
  'basic-auth': 'callers have keys here: `turnward keys create`',
  'hmac-auth': 'callers have keys here: `turnward keys create`',
  'ip-restriction': 'who reaches the gateway is for the network before it',
  cors: 'pages in a browser do not call models here',
  prometheus: records,
  opentelemetry: records,
  'http-log': records,
  'file-log': records,
  datadog: records,
  'proxy-cache': notBodies,
  'proxy-cache-advanced': notBodies,
  'request-size-limiting': 'one limit holds for all requests: `limits.max_body_bytes`',
}

/** Of the plugins that limit what is used. */
export const leftOfLimits = {
  identifier: 'nothing of it was taken over',
  header_name: 'callers cannot be told apart by this here',
  path: 'models are found by their names here',
  strategy: 'replicas share what is counted where they share their state: `state`',
  policy: 'replicas share what is counted where they share their state: `state`',
  redis: 'replicas share a PostgreSQL and a Valkey of their own here: `store`, `state`',
  sync_rate: 'what is counted is shared at once',
  error_code: 'a refusal is 429, or 402 for a budget, as clients of each vendor know it',
  error_message: 'a refusal is 429, or 402 for a budget, as clients of each vendor know it',
  error_hide_providers: 'a refusal names the limit, and no upstream',
  hide_client_headers: 'answers say how limits stand, as the vendors say it',
  fault_tolerant: 'a call that cannot be counted does not go on',
  window_type: 'nothing of it was taken over',
  llm_format: 'every dialect is counted alike',
  disable_penalty: 'a call that is refused counts nothing',
  request_prompt_count_function: 'what is counted is tokens, money and requests',
  tokens_count_strategy: 'nothing of it was taken over',
}

export const leftOfAuthPlugin = {
  key_names: 'a key is sent as `authorization: Bearer` or `x-api-key`',
  key_in_header: 'a key is sent as `authorization: Bearer` or `x-api-key`',
  key_in_query: 'a key in an address would be in logs: it is sent in a header',
  key_in_body: 'a key is sent in a header',
  hide_credentials: 'a caller’s key is never passed on',
  anonymous: 'nobody calls without a key',
  run_on_preflight: 'pages in a browser do not call models here',
  hide_groups_header: 'the groups of a caller are not passed on',
  always_use_authenticated_groups: 'groups are those of the principal',
  realm: 'a caller without a key is told so in the way of each vendor',
}

export const leftOfConsumer = {
  custom_id: 'a principal has no second name here',
  id: 'things have no ids beside their names here',
  tags: 'things have no tags here',
  jwt_secrets: 'tokens are for `identity.issuers`',
  basicauth_credentials: 'callers have keys here: `turnward keys create`',
  hmacauth_credentials: 'callers have keys here: `turnward keys create`',
  oauth2_credentials: 'tokens are for `identity.oauth`',
  mtls_auth_credentials: 'certificates are for `identity.certificates`',
}

const byPath = 'models are found by their names here, at the paths of each vendor’s API'

export const leftOfRoute = {
  name: 'routes have the names of models here',
  paths: byPath,
  methods: byPath,
  hosts: 'which hosts the gateway answers to is for `listen.hosts`',
  headers: byPath,
  protocols: 'HTTPS is for `listen.tls`',
  strip_path: byPath,
  preserve_host: byPath,
  https_redirect_status_code: 'HTTPS is for `listen.tls`',
  request_buffering: 'requests are read as a whole, and answers go out as they come',
  response_buffering: 'requests are read as a whole, and answers go out as they come',
  tags: 'things have no tags here',
  id: 'things have no ids beside their names here',
  service: byPath,
}

const noService = 'Kong asks the vendor, not this address, where an AI plugin is; other services are not for a gateway to models'

export const leftOfService = {
  name: 'routes have the names of models here',
  url: noService,
  host: noService,
  port: noService,
  protocol: noService,
  path: noService,
  connect_timeout: noService,
  read_timeout: noService,
  write_timeout: noService,
  retries: noService,
  enabled: noService,
  tags: 'things have no tags here',
  id: 'things have no ids beside their names here',
}

/** Sections as a whole. */
export const leftSections: Readonly<Record<string, string>> = {
  _format_version: 'it is the form of the file',
  _transform: 'it is the form of the file',
  _info: 'it is about the tool that reads the file',
  _workspace: 'there is one configuration here',
  _konnect: 'it is about the tool that reads the file',
  _comment: 'it is about the file',
  _plugin_configs: 'no plugin that was taken over uses it',
  upstreams: 'they are addresses of services; models are for `upstreams` here',
  certificates: 'HTTPS is for `listen.tls`',
  ca_certificates: 'HTTPS is for `listen.tls`',
  vaults: 'secrets come from the environment, or from files: `${NAME}`, `${file:path}`',
  partials: 'shared parts of plugins are to be written out where they are used',
  rbac_roles: 'who administers the gateway is for `identity.roles`',
}

/** What looks at the words of calls: which kind does the same. */
function guard(kind: string): string {
  return `write a guard of \`kind: ${kind}\` under \`guards\`, and list it at the routes`
}
