/** Faults of the MCP floor: doors without a guard, sandboxes with a window. */
import type { Mutant } from '../mutant.ts'

const sandbox = 'gateway/src/tools/runners/sandbox-arguments.ts'
const endpointTests = ['gateway/src/tools/endpoint.test.ts', 'gateway/src/tools/endpoint/legacy.test.ts', 'gateway/src/tools/seal.mutants.test.ts']
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
  { name: 'colliding-name-picks-a-tool', file: 'gateway/src/tools/fleet/gateway-catalogue.ts', find: 'byOriginal.has(tool.originalName) ? undefined : tool', replace: 'tool', tests: ['gateway/src/tools/fleet/gateway-catalogue.test.ts'] },
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
