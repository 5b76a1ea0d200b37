/**
 * Every error Turnward can answer with: its HTTP status, a one-line title and what a reader can do.
 * Codes are stable; a code is never reused for another meaning. Pages live in `docs/errors.md`.
 */
export interface ErrorCode {
  /** HTTP status used when the error ends a request. */
  readonly status: number
  /** One line: what class of failure this is. */
  readonly title: string
  /** What the reader of the error can do about it. */
  readonly fix: string
}

export const errorCodes = {
  // Identity
  'auth.missing_key': {
    status: 401,
    title: 'No credential was presented',
    fix: 'Send a Turnward virtual key as `Authorization: Bearer tw_…` or `x-api-key`.',
  },
  'auth.unknown_key': {
    status: 401,
    title: 'The credential is not known',
    fix: 'Check the key with `turnward keys list`, or create one with `turnward keys create`.',
  },
  'auth.invalid_token': {
    status: 401,
    title: 'The token is not one that is taken here',
    fix: 'Get a new token from the issuer; see docs/identity/issuers.md.',
  },
  'auth.expired_token': { status: 401, title: 'The token has expired', fix: 'Get a new token from the issuer.' },
  'auth.token_not_yet_valid': {
    status: 401,
    title: 'The token is not valid yet',
    fix: 'Wait, or set the clocks of the issuer and the gateway right; `clock_skew_seconds` allows for up to 60 seconds.',
  },
  'auth.wrong_audience': {
    status: 401,
    title: 'The token is for somebody else',
    fix: 'Ask the issuer for a token for this gateway: one of the names under `audiences` of the issuer.',
  },
  'auth.wrong_kind_of_token': {
    status: 401,
    title: 'The token is of another kind than is needed here',
    fix: 'Send the access token that the issuer gave for this gateway.',
  },
  'auth.person_needed': {
    status: 403,
    title: 'A person is needed, and the token is of an application alone',
    fix: 'Let a person sign in and send their token, or set `workloads: true` at the issuer.',
  },
  'auth.incomplete_token': {
    status: 403,
    title: 'The token does not say who it is for',
    fix: 'Let the issuer put the claim into its tokens, or name another one at the issuer (`user`, `mapping`).',
  },
  'auth.too_many_groups': {
    status: 403,
    title: 'The groups of the person are not known from the token',
    fix: 'Let the issuer put only the groups of this application into its tokens, or its roles; see docs/identity/entra-id.md.',
  },
  'auth.issuer_unavailable': {
    status: 503,
    title: 'The issuer cannot be asked for its keys',
    fix: 'Try again soon; `turnward doctor` and /readyz say why it cannot be reached.',
  },
  'auth.expired_key': { status: 401, title: 'The credential has expired', fix: 'Create a new key with `turnward keys create`.' },
  'auth.revoked_key': { status: 401, title: 'The credential was revoked', fix: 'Create a new key with `turnward keys create`.' },
  'auth.two_identities': {
    status: 400,
    title: 'The request shows two identities that disagree',
    fix: 'Send one of them; see docs/identity/who-is-calling.md.',
  },
  'auth.unknown_person': {
    status: 403,
    title: 'Nobody here is known by this',
    fix: 'Ask an administrator: people of this issuer must be declared, or come from its directory, before they call.',
  },
  'auth.other_issuer': {
    status: 403,
    title: 'Somebody of another issuer is known by this',
    fix: 'Ask an administrator: two issuers give the same name to people, who are never taken for one another.',
  },
  'auth.disabled': {
    status: 403,
    title: 'This person was disabled',
    fix: 'Ask an administrator; `turnward people enable` lets somebody in again.',
  },
  'auth.role': {
    status: 403,
    title: 'This needs a role',
    fix: 'Ask an administrator for the role that is named; see docs/identity/people.md.',
  },
  'stop.stopped': {
    status: 403,
    title: 'An administrator has stopped this',
    fix: 'Ask an administrator of this gateway: `turnward stop list` shows what is stopped, and why.',
  },
  'stop.unreadable': {
    status: 503,
    title: 'Whether this is stopped cannot be read at the moment',
    fix: 'Try again soon; calls go on once the store can be used again.',
  },
  'stop.not_found': { status: 404, title: 'Nothing that stands is called this', fix: 'See `turnward stop list`.' },
  'stop.too_many': { status: 409, title: 'Too much is stopped at a time', fix: 'Lift what is over, or stop several tools by a pattern.' },
  'turn.not_found': {
    status: 404,
    title: 'No such turn is on record',
    fix: 'List recent ones with `turnward turns list`, or `turnward turns tail --no-follow`.',
  },
  'session.not_found': { status: 404, title: 'No such session is on record', fix: 'List recent ones with `GET /api/sessions`.' },
  'audit.busy': { status: 503, title: 'Too many people read the decision log at the moment', fix: 'Try again in a few seconds.' },
  'server.not_found': {
    status: 404,
    title: 'There is no MCP server of this name',
    fix: 'See `GET /api/servers`, or `turnward servers list`.',
  },
  'server.not_answered': {
    status: 503,
    title: 'No process of this gateway has begun with the restart',
    fix: 'Try again; if it happens again, see whether `/readyz` says that the store can be used.',
  },
  'tool.not_found': {
    status: 404,
    title: 'No server has listed such a tool',
    fix: 'See `GET /api/tools`; a server that was never up has listed none.',
  },
  'tool.not_held': {
    status: 409,
    title: 'This definition does not wait for a review any more',
    fix: 'Read the tool again: it was accepted meanwhile, or its server lists another definition. Accept what you have seen.',
  },
  'policy.busy': { status: 503, title: 'Others are trying drafts of the policy', fix: 'Try again when they have ended.' },
  'person.not_found': { status: 404, title: 'Nobody is known by this', fix: 'See `turnward people list`.' },
  'auth.anonymous': {
    status: 401,
    title: 'The edge in front does not know who calls',
    fix: 'Sign in at the edge. Whether callers it does not know may use models is `identity.edges.*.anonymous`; they never use tools.',
  },
  'auth.insufficient_scope': {
    status: 403,
    title: 'The credential is not good for this',
    fix: 'Use a key or token with the scope that is named.',
  },
  'auth.foreign_form': {
    status: 403,
    title: 'The form did not come from a page of this gateway',
    fix: 'Open the page again, at the address of `listen.public_url`, and send its form.',
  },
  'auth.foreign_request': {
    status: 403,
    title: 'The request did not come from a page of this gateway',
    fix: 'Send what changes something from a page at `listen.public_url`, with the header `x-turnward-form` that `GET /api/me` names.',
  },
  'auth.signed_out': { status: 401, title: 'Nobody is signed in in this browser any more', fix: 'Sign in at `/sign-in`.' },
  'auth.sign_in_refused': {
    status: 403,
    title: 'The issuer has not signed you in',
    fix: 'Sign in again, or ask the administrator of the issuer.',
  },
  'auth.sign_in_failed': { status: 400, title: 'Signing in did not work', fix: 'Sign in again, in one go and in one browser.' },
  'auth.wrong_sign_in': {
    status: 401,
    title: 'Account, password or code is not right',
    fix: 'Try again; an administrator can reset an account.',
  },
  'auth.too_many_attempts': { status: 429, title: 'Too many attempts to sign in', fix: 'Wait for the time that is named, and try again.' },
  'auth.busy': { status: 503, title: 'Too many people sign in at the moment', fix: 'Try again in a few seconds.' },
  'auth.no_second_factor': {
    status: 403,
    title: 'The account has no one-time codes, and here it needs them',
    fix: 'Ask an administrator to reset it: `turnward accounts reset NAME`.',
  },
  'auth.link_used': {
    status: 404,
    title: 'The link was used before, or has expired',
    fix: 'Ask an administrator for another one: `turnward accounts reset NAME`.',
  },
  'credential.refused': {
    status: 422,
    title: 'The credential was tried, and the upstream refuses it',
    fix: 'Correct it; see what the upstream says.',
  },
  'credential.no_model': {
    status: 422,
    title: 'The credential was tried, and has no access to the model',
    fix: 'Have the model enabled for it at the vendor, or name one that it may use.',
  },
  'credential.no_quota': {
    status: 422,
    title: 'The credential was tried, and there is nothing left to spend with it',
    fix: 'Settle that with the vendor, or wait.',
  },
  'credential.untried': {
    status: 502,
    title: 'The credential could not be tried',
    fix: 'See that the upstream can be reached from the gateway; an administrator can store it untried (`turnward credentials add --no-test`).',
  },
  'credential.not_found': {
    status: 404,
    title: 'There is no such credential of yours',
    fix: 'See `GET /api/me/credentials` or `turnward credentials list`.',
  },
  'credential.too_many_attempts': {
    status: 429,
    title: 'Too many credentials were tried',
    fix: 'Wait for the time that is named, and try again.',
  },
  'vault.unreachable': {
    status: 503,
    title: 'Secrets cannot be opened at the moment',
    fix: 'See that the transit engine of `identity.vault` is up and takes the token, and try again.',
  },
  'vault.sealed': {
    status: 500,
    title: 'A secret cannot be opened',
    fix: 'Configure the key it was sealed with under `identity.vault.previous_keys`, or store the secret again.',
  },
  // Reading requests
  'request.malformed': { status: 400, title: 'The request body could not be read', fix: 'Send one valid JSON object in UTF-8.' },
  'request.ambiguous_key': {
    status: 400,
    title: 'The request body has duplicate or case-variant keys',
    fix: 'Send each key once, in the exact case the API documents.',
  },
  'request.too_deep': {
    status: 400,
    title: 'The request body is nested too deeply or has too many keys',
    fix: 'Send a flatter body, or raise `limits.max_depth` / `limits.max_keys`.',
  },
  'request.too_large': {
    status: 413,
    title: 'The request body is too large',
    fix: 'Send a smaller body, or raise `limits.max_body_bytes`.',
  },
  'request.invalid': { status: 400, title: 'The request is not valid for this API', fix: 'Correct the named field.' },
  'request.unsupported': {
    status: 400,
    title: 'The request uses a feature this gateway does not relay',
    fix: 'Leave out the named feature, or use the one the message names.',
  },
  'request.template': {
    status: 400,
    title: 'The request cannot be made of its template',
    fix: 'Name a template that there is for this model, and give each of its variables one value, and leave out what the message names; see docs/prompts.md.',
  },
  'request.content_encoding': {
    status: 415,
    title: 'Compressed request bodies are not accepted',
    fix: 'Send the body without `content-encoding`.',
  },
  'request.timeout': {
    status: 408,
    title: 'The request body did not arrive in time',
    fix: 'Send the whole body within `limits.body_timeout_ms`.',
  },
  'request.not_found': { status: 404, title: 'There is nothing at this path', fix: 'See the list of endpoints in the README.' },
  'request.method': { status: 405, title: 'This path does not answer that method', fix: 'Use the method the `allow` header names.' },
  'request.too_often': { status: 429, title: 'Too many requests to the administration', fix: 'Wait as long as `retry-after` says.' },
  'request.host': {
    status: 403,
    title: 'The Host or Origin header is not one this gateway answers to',
    fix: 'Use a host listed in `listen.hosts`, or add it there.',
  },
  'request.cancelled': { status: 499, title: 'The client went away', fix: 'Nothing to do: the work was stopped.' },
  // Answers that are kept
  'response.not_found': {
    status: 404,
    title: 'Nothing is kept here under this id',
    fix: 'It is somebody else’s, was made with `store: false`, was deleted, or has expired: send the conversation itself in `input`.',
  },
  'response.not_over': {
    status: 400,
    title: 'The response has not been completed',
    fix: 'Wait until `GET /v1/responses/{id}` says `completed` or `incomplete`.',
  },
  'response.not_in_background': {
    status: 400,
    title: 'Only a response in the background can be cancelled',
    fix: 'Close the connection on which it is answered.',
  },
  'response.not_streamed': {
    status: 400,
    title: 'The response has no stream that could be followed',
    fix: 'Ask for it without `stream`.',
  },
  'response.too_many': {
    status: 429,
    title: 'Too many responses are made in the background at a time',
    fix: 'Wait for one of them, cancel one, or raise `responses.max_background`.',
  },
  'response.interrupted': {
    status: 503,
    title: 'The response was interrupted because the gateway that made it has stopped',
    fix: 'Ask again.',
  },
  'file.not_found': {
    status: 404,
    title: 'No file is kept here under this id',
    fix: 'It is somebody else’s, was deleted, or has expired: upload it, or send its content in the request itself.',
  },
  'file.no_room': {
    status: 403,
    title: 'There is no room for another file of this caller',
    fix: 'Delete files (`DELETE /v1/files/{id}`), or raise `files.max_kept` and `files.max_kept_bytes`.',
  },
  'batch.not_found': {
    status: 404,
    title: 'No batch is known here under this id',
    fix: 'It is somebody else’s, was deleted, or has been forgotten (`files.ttl_ms`): make it again.',
  },
  'batch.too_many': {
    status: 429,
    title: 'There are too many batches of this caller',
    fix: 'Wait for one to end (`batches.max_open`), or delete some that have ended (`batches.max_kept`).',
  },
  'batch.too_long': {
    status: 413,
    title: 'The batch has too many lines',
    fix: 'Make several of it, or raise `batches.max_lines`.',
  },
  'batch.not_over': { status: 400, title: 'The batch has not ended', fix: 'Wait until it has, or cancel it.' },
  'realtime.too_many': {
    status: 503,
    title: 'Too many realtime sessions are open',
    fix: 'Close one, or connect to another instance.',
  },
  'realtime.expired': {
    status: 408,
    title: 'The realtime session has lasted as long as one may',
    fix: 'Connect again.',
  },
  // Grants and policy
  'grant.model': {
    status: 404,
    title: 'The model does not exist for this principal',
    fix: 'Ask `GET /v1/models` which models you may use, or ask an administrator for a grant.',
  },
  'grant.gateway': {
    status: 404,
    title: 'The MCP gateway does not exist for this principal',
    fix: 'Check the gateway name, or ask an administrator for a grant.',
  },
  'grant.tool': { status: 404, title: 'The tool does not exist for this principal', fix: 'Ask `tools/list` which tools you may call now.' },
  'grant.resource': {
    status: 404,
    title: 'The resource does not exist for this principal',
    fix: 'Ask `resources/list` and `resources/templates/list` which there are.',
  },
  'grant.prompt': { status: 404, title: 'The prompt does not exist for this principal', fix: 'Ask `prompts/list` which there are.' },
  // Approvals
  'approval.not_found': {
    status: 404,
    title: 'There is no such approval',
    fix: 'See `turnward approvals list`: those of your own calls, and those you may rule on.',
  },
  'approval.not_approver': {
    status: 403,
    title: 'Somebody else has to rule on this call',
    fix: 'See `turnward approvals show` for who may.',
  },
  'approval.over': {
    status: 409,
    title: 'The call does not wait for this ruling any more',
    fix: 'See `turnward approvals show` for what became of it.',
  },
  'approval.too_many': {
    status: 429,
    title: 'Too many calls wait for a person',
    fix: 'Rule on those that wait, or raise `approvals.max_pending`.',
  },
  'approval.too_large': {
    status: 413,
    title: 'The arguments of the call are too long to be shown to a person',
    fix: 'Make a smaller call, or raise `approvals.max_bytes`.',
  },

  // Upstreams of the model floor
  'policy.refused': {
    status: 403,
    title: 'The tool calls of the model were refused by policy',
    fix: 'See `turnward turns show` for what would help.',
  },
  'route.no_upstream': {
    status: 503,
    title: 'No upstream of the route could take the call',
    fix: 'Check upstream health with `GET /readyz` and the credentials of the route.',
  },
  'upstream.credential': {
    status: 502,
    title: 'No provider credential is mapped for this principal and upstream',
    fix: 'Map one under `keys`, `principals`, `groups` or `upstreams`.',
  },
  'upstream.failed': { status: 502, title: 'The upstream failed', fix: 'Try again; if it persists check the upstream.' },
  'upstream.timeout': {
    status: 504,
    title: 'The upstream did not answer in time',
    fix: 'Try again, or raise the timeout of the upstream.',
  },
  'upstream.malformed': {
    status: 502,
    title: 'The upstream sent something that is not its dialect',
    fix: 'Check the kind and base_url of the upstream.',
  },
  // MCP floor
  'mcp.session': { status: 404, title: 'The MCP session is unknown or has expired', fix: 'Initialize again.' },
  'mcp.protocol_version': {
    status: 400,
    title: 'The MCP protocol version is not supported',
    fix: 'Use one of the versions in `supported`.',
  },
  'mcp.header_mismatch': {
    status: 400,
    title: 'MCP headers and body disagree',
    fix: 'Send `MCP-Protocol-Version`, `Mcp-Method`, `Mcp-Name` and every `Mcp-Param-*` as the body says them.',
  },
  'mcp.server_unavailable': {
    status: 502,
    title: 'The MCP server cannot be reached',
    fix: 'See the server in `turnward tools list` and its log lines.',
  },
  'mcp.credential_refused': {
    status: 502,
    title: 'The MCP server refused the credential it was shown',
    fix: 'Check `auth` and `headers` of the server, and what the credential may do there.',
  },
  'mcp.no_credential': {
    status: 502,
    title: 'No credential could be had for the MCP server',
    fix: 'Check `auth` of the server, and its authorization server.',
  },
  'mcp.server_timeout': {
    status: 504,
    title: 'The MCP server did not answer in time',
    fix: 'Raise the timeout of the server, or look at what it is doing.',
  },
  'mcp.server_busy': {
    status: 503,
    title: 'The MCP server has too many calls waiting',
    fix: 'Try again, or raise `max_concurrent` of the server.',
  },
  'mcp.result_too_large': {
    status: 502,
    title: 'What the MCP server answered is too large',
    fix: 'Ask for less of it (a filter, a page, a range), or raise `max_result_bytes` of the server.',
  },
  'mcp.not_found': {
    status: 404,
    title: 'The MCP server has nothing of this name',
    fix: 'List again: what the server has may have changed.',
  },
  'mcp.refused': {
    status: 502,
    title: 'The MCP server refused the request',
    fix: 'See the log lines of the server.',
  },
  'mcp.missing_capability': {
    status: 400,
    title: 'The request needs something of the client that the client does not offer',
    fix: 'Declare the capability with the request, or use a client that has it.',
  },
  'mcp.not_allowed': {
    status: 403,
    title: 'The policy does not allow this to be read now',
    fix: 'See `turnward turns show` for what would help.',
  },
  'mcp.link_needed': {
    status: 403,
    title: 'The person has not connected an account with this MCP server',
    fix: 'Open `/connect` at this gateway, connect the account there, and make the call again.',
  },
  'mcp.person_needed': {
    status: 403,
    title: 'The MCP server is called for a person, and nothing here proves one',
    fix: 'Call with a token of the issuer that the server is configured with, or sign in at this gateway first.',
  },
  'mcp.install_failed': {
    status: 502,
    title: 'The MCP server could not be installed',
    fix: 'See what the package manager said, and that the registry can be reached from here.',
  },
  'mcp.server_changed': {
    status: 502,
    title: 'The files of the MCP server are not those that were installed',
    fix: 'Install it again: `turnward servers update NAME`.',
  },
  'mcp.tool_held': {
    status: 403,
    title: 'The server has changed what it says of the tool, or has added it, and nobody has reviewed that yet',
    fix: 'Ask an administrator to look at the definition and approve it: `turnward tools review`.',
  },
  'sandbox.unavailable': {
    status: 503,
    title: 'The sandbox for MCP servers is not available',
    fix: 'Install bubblewrap (`apt-get install bubblewrap`), or opt in to `runner: process` for servers you trust.',
  },
  'sandbox.limits': {
    status: 503,
    title: 'The limits of the MCP server cannot be enforced here',
    fix: 'Let the gateway make cgroups or read /proc (Linux), or set `limits.unenforced: accept` for this server.',
  },
  // Limits and budgets
  'limit.exceeded': {
    status: 429,
    title: 'A limit is used up',
    fix: 'Wait for the time that is named, or ask whoever runs the gateway for more; see docs/limits.md.',
  },
  'limit.budget': {
    status: 402,
    title: 'A budget is used up',
    fix: 'Wait for the time that is named, or ask whoever runs the gateway for more; see docs/limits.md.',
  },
  'limit.unpriced': {
    status: 402,
    title: 'A budget cannot be kept',
    fix: 'Say what the model costs under `prices`, or set `limits.unpriced: allow`.',
  },
  // Guards
  'guard.refused': {
    status: 403,
    title: 'A guard does not let this go to a model',
    fix: 'Take out what it names, or ask whoever runs the gateway; see docs/guards.md.',
  },
  'guard.answer_refused': {
    status: 403,
    title: 'A guard does not let the answer of the model out',
    fix: 'Ask for something else, or ask whoever runs the gateway; see docs/guards.md.',
  },
  'guard.unavailable': {
    status: 503,
    title: 'A guard cannot look at this now',
    fix: 'Try again; whoever runs the gateway looks after the service it asks, or sets `fail: open`.',
  },
  // Context
  'context.unavailable': {
    status: 503,
    title: 'What the model is to know cannot be looked up now',
    fix: 'Try again; whoever runs the gateway looks after the retriever it names, or sets `fail: open`.',
  },
  // Transforms
  'transform.request': {
    status: 400,
    title: 'The request cannot be changed as its route says',
    fix: 'Send a request that the named transform fits, or ask whoever runs the gateway, who says when it applies; see docs/transforms.md.',
  },
  'transform.answer': {
    status: 502,
    title: 'The answer cannot be changed as its route says',
    fix: 'Ask whoever runs the gateway, who says when the named transform applies; see docs/transforms.md.',
  },
  // The decision log and the configuration
  'audit.unwritable': {
    status: 503,
    title: 'The decision log cannot be written',
    fix: 'Free disk space, make the data directory writable, or bring the database back; governed calls resume by themselves.',
  },
  'audit.backlog': { status: 503, title: 'The decision log cannot keep up', fix: 'Try again; check the disk under the data directory.' },
  'config.invalid': { status: 500, title: 'The configuration is not valid', fix: 'Run `turnward check` and correct the named line.' },
  'config.owned_by_file': {
    status: 409,
    title: 'The object is in the configuration file',
    fix: 'Change it there, or give the object another name; see docs/managed-configuration.md.',
  },
  'config.literal_secret': {
    status: 422,
    title: 'A secret would be kept in the configuration',
    fix: 'Refer to it: write `${NAME}` or `${file:/path}` in its place, and allow that under `managed.references` in the configuration file.',
  },
  'config.not_compiled': {
    status: 422,
    title: 'The change does not go with the rest of the configuration',
    fix: 'Correct what is named; with `?dry_run=true` every problem is answered with its place.',
  },
  'config.changed': {
    status: 412,
    title: 'Somebody else has changed it meanwhile',
    fix: 'Read it again, and send the change with its new `ETag`.',
  },
  'config.tag_needed': {
    status: 428,
    title: 'What is there would be replaced unseen',
    fix: 'Send `If-Match` with the `ETag` it was read with, or `If-Match: *` to replace whatever is there.',
  },
  'config.conflict': { status: 409, title: 'Others keep changing the configuration', fix: 'Try again.' },
  'config.object_not_found': { status: 404, title: 'There is no such object', fix: 'See `GET /api/config/{kind}`.' },
  'config.revision_not_found': {
    status: 404,
    title: 'There is no such revision',
    fix: 'See `turnward config history`; the oldest are forgotten.',
  },
  'config.managed_conflict': {
    status: 503,
    title: 'Objects that restrict calls do not go with the configuration file',
    fix: 'Ask an administrator: /readyz names the objects; see docs/managed-configuration.md.',
  },
  'config.not_available': {
    status: 500,
    title: 'The configuration asks for something that is not available yet',
    fix: 'Remove the named part.',
  },
  'state.unavailable': {
    status: 503,
    title: 'The shared state cannot be used',
    fix: 'Check the server of `state.url`; governed calls resume by themselves.',
  },
  'state.too_large': {
    status: 413,
    title: 'A value is too large for the shared state',
    fix: 'Send less in one message.',
  },
  'state.busy': { status: 503, title: 'The shared state changes too fast', fix: 'Try again.' },
  'store.failed': { status: 503, title: 'The store cannot be used', fix: 'Check the data directory.' },
  'cluster.gone': {
    status: 503,
    title: 'The replica that has this is gone',
    fix: 'Try again: another replica takes over within half a minute. If it goes on, check `cluster.advertise`.',
  },
  'gateway.draining': { status: 503, title: 'The gateway is shutting down', fix: 'Send the request to another instance, or try again.' },
  'gateway.unreachable': {
    status: 503,
    title: 'The gateway cannot be reached',
    fix: 'Start the gateway, or name its address with --url.',
  },
  'gateway.internal': { status: 500, title: 'The gateway failed', fix: 'Report it with the turn id.' },
} as const satisfies Record<string, ErrorCode>

/** The name of an error, such as `auth.unknown_key`. */
export type ErrorCodeName = keyof typeof errorCodes
