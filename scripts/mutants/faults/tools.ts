/** Faults of the MCP floor: doors without a guard, sandboxes with a window. */
import type { Mutant } from '../mutant.ts'

const sandbox = 'gateway/src/tools/runners/sandbox-arguments.ts'
const endpointTests = ['gateway/src/tools/endpoint.test.ts', 'gateway/src/tools/endpoint/legacy.test.ts', 'gateway/src/tools/seal.mutants.test.ts']
const catalogue = 'gateway/src/tools/fleet/gateway-catalogue.ts'
const knownTools = 'gateway/src/tools/fleet/known-tools.ts'
const settled = 'gateway/src/tools/settled-arguments.ts'
const settledTests = ['gateway/src/tools/settled-arguments.test.ts']
const sandboxTests = ['gateway/src/tools/runners/bubblewrap.test.ts']
const egressTests = ['gateway/src/tools/runners/egress-rules.test.ts', 'gateway/src/tools/runners/egress-proxy.test.ts']

export const toolsFaults: readonly Mutant[] = [
  { name: 'host-guard-is-off', file: 'gateway/src/tools/endpoint.ts', find: 'guardHost(req.headers, snapshot.settings.listen)', replace: 'void guardHost', tests: endpointTests },
  { name: 'origin-is-not-guarded', file: 'gateway/src/tools/endpoint/host-guard.ts', find: 'if (headers.origin === undefined) return', replace: 'if (host !== undefined) return', tests: endpointTests },
  { name: 'mcp-session-is-not-bound-to-the-principal', file: 'gateway/src/tools/seal.ts', find: 'parts.map((part)', replace: 'parts.slice(1).map((part)', tests: endpointTests },
  { name: 'mcp-session-is-not-bound-to-the-gateway', file: 'gateway/src/tools/seal.ts', find: 'parts.map((part)', replace: 'parts.slice(0, 1).map((part)', tests: endpointTests },
  { name: 'cursor-opens-as-a-session', file: 'gateway/src/tools/seal.ts', find: '`turnward/mcp/${purpose}`', replace: '`turnward/mcp/${purpose.slice(0, 0)}`', tests: endpointTests },
  { name: 'ended-mcp-session-goes-on', file: 'gateway/src/tools/endpoint/legacy-sessions.ts', find: 'e <= this.#clock.now() || this.#ended.has(s)', replace: 'e <= this.#clock.now()', tests: endpointTests },
  { name: 'gateway-shows-every-tool', file: 'gateway/src/tools/fleet/gateway-catalogue.ts', find: 'flatMap(({ tools }) => tools).filter(({ name }) => gateway.tools.matches(name))', replace: 'flatMap(({ tools }) => tools)', tests: ['gateway/src/tools/fleet/gateway-catalogue.test.ts'] },
  { name: 'colliding-name-picks-a-tool', file: 'gateway/src/tools/fleet/gateway-catalogue.ts', find: 'names.has(tool.originalName) ? undefined : tool', replace: 'tool', tests: ['gateway/src/tools/fleet/gateway-catalogue.test.ts'] },
  { name: 'name-of-one-server-runs-on-another', file: catalogue, find: 'owner !== tool.server && configured.has(owner)', replace: 'owner === undefined', tests: ['gateway/src/tools/fleet/gateway-catalogue.test.ts'] },
  { name: 'server-that-is-down-loses-its-names', file: 'gateway/src/tools/fleet.ts', find: 'tools: this.#known.ofServer(snapshot, name), leftOut', replace: 'tools: [], leftOut', tests: ['conformance/mcp/absent-servers.test.ts'] },
  { name: 'tools-of-a-server-that-is-down-are-offered', file: catalogue, find: 'tools: sorted.filter(({ server }) => !missing.has(server))', replace: 'tools: sorted', tests: ['gateway/src/tools/fleet/gateway-catalogue.test.ts'] },
  { name: 'names-are-forgotten-with-the-process', file: knownTools, find: "this.#write(this.#options.store?.save(", replace: "this.#write(undefined && this.#options.store?.save(", tests: ['gateway/src/tools/fleet/known-tools.test.ts'] },
  { name: 'known-tools-are-new-objects-every-time', file: knownTools, find: 'const tools = same ? before.tools :', replace: 'const tools =', tests: ['gateway/src/tools/fleet/known-tools.test.ts'] },
  { name: 'request-loses-the-names-it-began-with', file: knownTools, find: 'own.digest === server.digest && latest?.digest !== server.digest ? own : latest', replace: 'own.digest === null ? own : latest', tests: ['gateway/src/tools/fleet/known-tools.test.ts'] },
  { name: 'call-runs-on-the-current-revision', file: 'gateway/src/tools/fleet.ts', find: 'const slot = this.#slotOf(snapshot, tool.server)', replace: 'const slot = this.#slotOf(this.#current, tool.server)', tests: ['gateway/src/tools/fleet-revisions.test.ts'] },
  { name: 'request-does-not-hold-its-servers', file: 'gateway/src/tools/endpoint.ts', find: 'options.fleet?.hold(snapshot) ?? holdsNothing', replace: 'holdsNothing', tests: ['gateway/src/tools/fleet-revisions.test.ts'] },
  { name: 'dropped-server-ends-with-calls-in-flight', file: 'gateway/src/tools/fleet/retired-servers.ts', find: 'if (slot.running > 0 || ', replace: 'if (', tests: ['gateway/src/tools/fleet/retired-servers.test.ts'] },
  { name: 'incomplete-list-is-believed', file: 'gateway/src/tools/endpoint/modern.ts', find: 'ttlMs: page.complete ? listTtlMs : 0', replace: 'ttlMs: listTtlMs', tests: ['conformance/mcp/absent-servers.test.ts'] },
  { name: 'numbers-no-double-holds-compare-equal', file: settled, find: ' || !survives(text)) return text', replace: ') return text', tests: settledTests },
  { name: 'text-that-may-be-text-loses-its-quotes', file: settled, find: 'if (allowed === undefined || [...allowed].some((type) => !scalars.has(type))) return text', replace: 'if (allowed === undefined) return text', tests: settledTests },
  { name: 'default-replaces-what-is-there', file: settled, find: 'Object.hasOwn(value, name) ? value[name] : defaultOf(reader, own)', replace: 'defaultOf(reader, own) ?? value[name]', tests: settledTests },
  { name: 'sandbox-has-a-network', file: sandbox, find: "'--unshare-net', ", replace: '', tests: sandboxTests },
  { name: 'sandbox-sees-processes', file: sandbox, find: "'--unshare-pid', ", replace: '', tests: sandboxTests },
  { name: 'sandbox-is-writable', file: sandbox, find: "write ? '--bind' : '--ro-bind'", replace: "write ? '--bind' : '--bind'", tests: sandboxTests },
  { name: 'sandbox-shows-protected-files', file: sandbox, find: '...hidden.flatMap((path)', replace: '...hidden.slice(0, 0).flatMap((path)', tests: sandboxTests },
  { name: 'sandbox-has-the-host-environment', file: 'gateway/src/tools/runners/bubblewrap.ts', find: "LANG: 'C.UTF-8', ...config.env }", replace: "LANG: 'C.UTF-8', ...process.env, ...config.env }", tests: sandboxTests },
  { name: 'process-has-the-host-environment', file: 'gateway/src/tools/runners/process.ts', find: "LANG: 'C.UTF-8', ...config.env }", replace: "LANG: 'C.UTF-8', ...process.env, ...config.env }", tests: ['gateway/src/tools/runners/process.test.ts'] },
  { name: 'sandbox-shows-dot-files', file: 'gateway/src/tools/runners/code-folder.ts', find: "if (entry.name.startsWith('.')) return true", replace: "if (entry.name === '.') return true", tests: ['gateway/src/tools/runners/code-folder.test.ts'] },
  { name: 'limit-watch-counts-one-process', file: 'gateway/src/tools/runners/process-tree.ts', find: 'waiting.push(child)', replace: 'waiting.slice(child)', tests: ['gateway/src/tools/runners/limit-watch.test.ts'] },
  { name: 'unbounded-server-is-started', file: 'gateway/src/tools/runners/resource-limits.ts', find: "if (limits.unenforced !== 'accept') throw", replace: "if (limits.unenforced === 'accept') throw", tests: ['gateway/src/tools/runners/limit-watch.test.ts'] },
  { name: 'stream-opens-before-it-is-watched', file: 'gateway/src/tools/endpoint/change-stream.ts', find: 'const stop = await parts.operations.watchTools(', replace: 'stream.open()\n    const stop = await parts.operations.watchTools(', tests: ['conformance/mcp/hostile-streams.test.ts'] },
  { name: 'drain-keeps-busy-connections', file: 'gateway/src/cli/draining.ts', find: 'if (this.#hasBegun && running.size === 0) endWithGrace(socket)', replace: 'if (!this.#hasBegun && running.size === 0) endWithGrace(socket)', tests: ['conformance/model-calls/running.test.ts'] },
  { name: 'egress-allows-unlisted-hosts', file: 'gateway/src/tools/runners/egress-rules.ts', find: "if (matching.length === 0) return 'the host is not listed in `network`'", replace: 'if (matching.length === 0) return undefined', tests: egressTests },
  { name: 'egress-reaches-private-addresses', file: 'gateway/src/tools/runners/egress-rules.ts', find: "if (address.range() !== 'unicast') return false", replace: "if (address.range() === 'loopback') return false", tests: egressTests },
  { name: 'changed-argument-schema-follows-references', file: 'gateway/src/tools/schema-validation.ts', find: 'if (left < 0) throw', replace: 'if (left === null) throw', tests: ['gateway/src/tools/schema-validation.test.ts'] },
]
