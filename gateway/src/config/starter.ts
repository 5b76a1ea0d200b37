/**
 * What `turnward init` writes: a commented configuration that starts without any account and shows contracts
 * that stop a leak once they are enforced; it observes first. It never holds a secret itself; the key is a file of its own.
 */

/** Where the starter configuration expects its key, relative to the configuration file. */
export const starterKeyPath = '.turnward/dev.key'

/** Folder the example MCP server reads, relative to the configuration file; it must exist. */
export const starterNotesPath = 'notes'

/** The text of `turnward.yaml`. Loads as it is once the key file (a `tw_…` key, mode 0600) exists. */
export const starterConfig = `# Turnward configuration. Check it with \`turnward check\`; an edit takes effect when it is saved,
# and an edit with a mistake in it changes nothing until it is mended.
#
# \${NAME} is an environment variable, \${NAME:-default} one with a default, \${file:path} a file.
version: 1

listen:
  host: 127.0.0.1
  port: 4100

# --- Models -------------------------------------------------------------------------------------

# Secrets of your providers. Never write them here.
credentials:
  openai-team: { secret: "\${OPENAI_API_KEY:-not-set}" }
  anthropic-team: { secret: "\${ANTHROPIC_API_KEY:-not-set}" }

# Where model calls go, with which credential when the key, principal or group has none of its own.
upstreams:
  openai: { kind: openai, credential: openai-team }
  anthropic: { kind: anthropic, credential: anthropic-team }

# From the model name a client asks for to upstreams, tried in order. An exact name beats a pattern.
routes:
  - { model: "gpt-*", upstreams: [openai] }
  - { model: "claude-*", upstreams: [anthropic] }

# --- Who may do what ----------------------------------------------------------------------------

groups:
  staff: { description: Everybody who works here }

principals:
  me: { groups: [staff], emails: [me@example.com] }

# The console: http://127.0.0.1:4100/console/. The first start prints a link that makes you its administrator.
# Where others reach this gateway, ask for one-time codes as well (\`totp: required\`), or lead people to your identity provider.
identity:
  sign_in: { local: true, totp: optional }

# A key says for which principal a call is made. Make more with \`turnward keys create\`.
keys:
  dev: { principal: me, consumer: laptop, secret: "\${file:${starterKeyPath}}" }

# Nothing is allowed that no grant names.
grants:
  - { groups: [staff], models: ["*"], gateways: ["*"], tools: ["*"] }

# --- Tools --------------------------------------------------------------------------------------

# MCP servers. A stdio server runs in a sandbox: no network, and only the folders listed here.
# Paths that begin with ./ are relative to this file.
servers:
  notes:
    transport: stdio
    # npm install @modelcontextprotocol/server-filesystem
    command: [node, ./node_modules/@modelcontextprotocol/server-filesystem/dist/index.js, ./${starterNotesPath}]
    mounts:
      - { path: ./${starterNotesPath}, write: true }

# MCP endpoints: this one is http://127.0.0.1:4100/mcp/main
gateways:
  main: { servers: [notes] }

# --- What tools do to a session -----------------------------------------------------------------

# Contracts that ship with Turnward, for the built-in tools of coding agents: name those you use, of claude-code, codex,
# gemini-cli, opencode, qwen-code, cline. \`turnward policy show --effective\` prints them.
packs: []

# For MCP servers nobody described yet, \`turnward policy suggest\` drafts contracts to paste here.
#
# A session starts trusted and public. What it reads can only lower its trust and narrow who may
# receive its data. Tools are named server__tool; the most specific pattern counts.
contracts:
  # Notes are yours: reading them keeps the session trusted, but from then on only staff may
  # receive what the session says.
  "notes__*":
    output: { trust: trusted, audience: ["@staff"] }
  # Text from the web may hold instructions of a stranger: the session is untrusted after it.
  "web__*":
    output: { trust: untrusted }
  # Writing needs a session that has read nothing untrusted.
  "notes__write_file":
    effects: [mutation]
    requires: { trust: trusted }
    output: { trust: trusted }
  # Mail leaves the house. A trusted session is needed, and every recipient must be allowed to
  # receive all that the session has read: after reading notes, mail to strangers is refused.
  "mail__send":
    effects: [egress]
    requires:
      trust: trusted
      audience: { includes: ["$args.to"] }
    output: { trust: trusted }

# Conditions (CEL) for what contracts cannot say. This one refuses changes by agents that act for
# somebody; \`actor\` is the agent a key names.
rules:
  - name: agents-do-not-delete
    when: "actor == 'night-agent' && 'mutation' in tool.effects"
    verdict: deny
    reason: The night agent may read and report, not change things.

policy:
  # observe: everything is decided and recorded, and only missing grants refuse a call. Begin here; once agents have worked
  # for a while, \`turnward policy readiness\` tells what standard would have refused. Then change this one word.
  # standard: contracts and rules are enforced; tools without a contract run while the session is trusted, after that only
  # if they just read. strict: tools without a contract never run.
  posture: observe
`
