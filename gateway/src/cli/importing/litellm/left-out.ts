/** Settings of LiteLLM that nothing in the configuration is like, and what to use. What is not named here is left out as well, and told. */

const records = 'calls are recorded in the decision log, and told of by metrics and traces: `telemetry`'
const retries = 'what failed is asked of the next upstream, and again as `routes[].retries` says'
const database = 'keys and settings have a store of their own here: `store`'
const shared = 'replicas share a PostgreSQL and a Valkey of their own here: `store`, `state`'
const caching = 'answers are given again where the routes say `cache`'
const memory = 'answers are kept in the memory of each process'
const prompts = 'requests go out as their clients wrote them'

/** By section. */
export const leftOut: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  router_settings: {
    routing_strategy: 'no name has several deployments, or none is chosen like this here',
    routing_strategy_args: 'how fast an upstream is, is measured without settings',
    num_retries: retries,
    retry_after: retries,
    retry_policy: retries,
    model_group_retry_policy: retries,
    allowed_fails: retries,
    allowed_fails_policy: retries,
    cooldown_time: retries,
    disable_cooldowns: retries,
    max_fallbacks: retries,
    content_policy_fallbacks: 'an answer that a vendor refuses is an answer: no other model is asked',
    enable_pre_call_checks: 'a vendor itself says what is too long for a model',
    redis_url: shared,
    redis_host: shared,
    redis_port: shared,
    redis_password: shared,
    redis_db: shared,
    timeout: 'every deployment has one of its own',
    stream_timeout: 'every deployment has one of its own',
    enable_tag_filtering: 'routes are found by the name of the model',
    tag_filtering_match_any: 'routes are found by the name of the model',
    default_litellm_params: prompts,
    cache_responses: caching,
    caching_groups: caching,
    provider_budget_config: 'a budget of a vendor is a limit on its upstreams: write it by hand under `limits.rules`',
  },
  litellm_settings: {
    success_callback: records,
    failure_callback: records,
    callbacks: records,
    service_callbacks: records,
    num_retries: retries,
    allowed_fails: retries,
    request_timeout: 'another setting says how long is waited',
    cache: caching,
    cache_params: memory,
    enable_caching_on_provider_specific_optional_params: 'all of a request counts',
    enable_redis_auth_cache: shared,
    drop_params: 'what a vendor does not know is for its dialect to leave out',
    modify_params: prompts,
    content_policy_fallbacks: 'an answer that a vendor refuses is an answer: no other model is asked',
    turn_off_message_logging: 'contents are not recorded',
    redact_user_api_key_info: 'keys are recorded by their ids',
    json_logs: 'logs are JSON',
    set_verbose: 'how much is logged is for `telemetry.logs.level`',
    guardrails: 'write a guard under `guards`',
    mcp_aliases: 'names of tools are for `gateways.*.aliases`',
    default_team_settings: 'a team is a group here: write its limits by hand, with `match.groups`',
    max_end_user_budget: 'who stands behind a key is known here when they sign in; then `per: principal` is a budget for each',
  },
  general_settings: {
    database_url: database,
    database_connection_pool_limit: database,
    database_connection_timeout: database,
    store_model_in_db: database,
    alerting: 'alerts are for whoever reads the metrics',
    alerting_threshold: 'alerts are for whoever reads the metrics',
    alert_types: 'alerts are for whoever reads the metrics',
    completion_model: 'a request names its model',
    background_health_checks: 'what an upstream is like shows in the calls that it gets',
    health_check_interval: 'what an upstream is like shows in the calls that it gets',
    pass_through_endpoints: 'only operations of models are passed on',
    enable_jwt_auth: 'tokens are for `identity.issuers`',
    litellm_jwtauth: 'tokens are for `identity.issuers`',
    disable_spend_logs: records,
    store_prompts_in_spend_logs: 'contents are not recorded',
  },
}

/** Sections as a whole. */
export const leftSections: Readonly<Record<string, string>> = {
  guardrails: 'no guard became of it',
  prompts: prompts,
  mcp_servers: 'MCP servers are for `servers`: `turnward servers add`, or an entry with `transport: http`',
  callback_settings: records,
  include: 'only this file was read: import the others by themselves, and `include` what becomes of them',
  files_settings: 'files are for `files`',
  finetune_settings: 'models are not trained through the gateway',
  assistant_settings: 'assistants are not kept here',
  vector_store_registry: 'nothing is added to requests',
  environment_variables: 'nothing that was taken over needs it',
}
