/** Faults in the life of a tool call: acting before the record, tickets that fit anybody, effects that leak. */
import type { Mutant } from '../mutant.ts'

const toolCall = 'gateway/src/turns/tool-call.ts'
const recording = 'gateway/src/turns/recording-tool-call.ts'
const deciding = 'gateway/src/turns/deciding-proposals.ts'
const tickets = 'gateway/src/turns/tickets.ts'
const resolving = 'gateway/src/turns/resolving-tool.ts'
const shaping = 'gateway/src/turns/shaping-tools.ts'
const ticketTests = ['gateway/src/turns/tickets.test.ts', 'gateway/src/turns/tickets.mutants.test.ts']
const durability = ['gateway/src/invariants/03-']
const listed = ['gateway/src/invariants/02-']
const reserved = ['gateway/src/invariants/06-']
const outliving = ['gateway/src/invariants/12-']
const revision = ['gateway/src/invariants/07-']

export const toolCallFaults: readonly Mutant[] = [
  { name: 'tool-runs-before-its-record', file: toolCall, find: '  await recordToolDecision(call, verdict)', replace: '  void recordToolDecision(call, verdict).catch(() => {})', tests: durability },
  {
    name: 'tool-is-dispatched-before-its-record',
    file: toolCall,
    find: '  await recordToolDecision(call, verdict)',
    replace: "  const early = verdict.action === 'deny' ? undefined : executeTool(call, request)\n  await recordToolDecision(call, verdict)\n  await early",
    tests: durability,
  },
  { name: 'strict-durability-is-relaxed', file: recording, find: 'await call.services.log.appendDurably(record)', replace: 'call.services.log.append(record)', tests: durability },
  { name: 'proposal-is-released-before-its-record', file: deciding, find: 'await Promise.all(writes)', replace: 'void Promise.all(writes).catch(() => {})', tests: durability },
  { name: 'proposal-durability-is-relaxed', file: deciding, find: "writes.push(snapshot.settings.audit.durability === 'strict' ?", replace: "writes.push(snapshot.settings.audit.durability === undefined ?", tests: durability },
  { name: 'refused-tool-runs', file: toolCall, find: "if (verdict.action === 'deny') {", replace: "if (verdict.action === undefined) {", tests: [...listed, 'gateway/src/invariants/04-'] },
  { name: 'ticket-is-not-consumed', file: tickets, find: 'whenRead(state.take<', replace: 'whenRead(state.get<', tests: ticketTests },
  { name: 'ticket-is-not-bound-to-arguments', file: tickets, find: '${tool}${argumentsDigest}`', replace: '${tool}`', tests: ticketTests },
  { name: 'ticket-is-not-bound-to-the-tool', file: tickets, find: '${tool.length}:${tool}${argumentsDigest}`', replace: '${argumentsDigest}`', tests: ticketTests },
  { name: 'ticket-is-not-bound-to-the-principal', file: tickets, find: "'ticket', principal)", replace: "'ticket')", tests: ticketTests },
  { name: 'ticket-never-expires', file: tickets, find: '.filter((ticket) => ticket.expires > now)', replace: '.filter((ticket) => ticket.expires > 0)', tests: ticketTests },
  { name: 'tickets-may-be-missing', file: 'gateway/src/turns/deciding-tool-call.ts', find: "=== 'required' && call.ticket === undefined", replace: "=== 'required' && call.ticket === null", tests: ['conformance/mcp/tickets.test.ts'] },
  { name: 'ticket-does-not-link-the-session', file: 'gateway/src/turns/linking-session.ts', find: 'if (ticket !== undefined && session !== undefined) return { session,', replace: 'if (ticket !== undefined && session !== undefined) return { session: clientSession,', tests: ['conformance/mcp/tickets.test.ts'] },
  { name: 'gateway-grant-is-not-asked', file: resolving, find: 'if (source === undefined || !snapshot.gateways.has(gateway))', replace: 'if (!snapshot.gateways.has(gateway))', tests: listed },
  { name: 'tool-grant-is-not-asked-before-the-session', file: resolving, find: 'if (tool !== undefined && isGranted(tool.name))', replace: 'if (tool !== undefined)', tests: listed },
  { name: 'server-that-is-down-is-told-without-a-grant', file: resolving, find: 'if (down !== undefined && isGranted(down.tool))', replace: 'if (down !== undefined)', tests: outliving },
  { name: 'tool-of-a-server-that-is-down-is-unknown', file: resolving, find: 'if (down !== undefined && isGranted(down.tool))', replace: 'if (down === null)', tests: outliving },
  { name: 'credential-is-that-of-the-current-revision', file: toolCall, find: 'credentialOf(snapshot, tool.server)', replace: 'credentialOf(services.snapshot(), tool.server)', tests: revision },
  { name: 'model-grant-is-not-asked', file: 'gateway/src/turns/authorising-model.ts', find: "granted(snapshot.policy.grants, principal, 'models', model)", replace: "granted(snapshot.policy.grants, principal, 'models', model) ?? (model === '' ? undefined : 'grant #0')", tests: ['conformance/model-calls/request-guards.test.ts', 'conformance/model-calls/configuration.test.ts'] },
  { name: 'hidden-tools-are-listed', file: shaping, find: "return hide === 'never' && !verdict.gaps.some((gap) => gap.kind === 'grant')", replace: "return true || hide === 'never'", tests: listed },
  { name: 'ungranted-tools-are-listed', file: shaping, find: "return hide === 'never' && !verdict.gaps.some((gap) => gap.kind === 'grant')", replace: "return hide === 'never'", tests: listed },
  { name: 'tool-list-outlives-the-label', file: shaping, find: 'cache.version !== call.session.version || ', replace: '', tests: listed },
  { name: 'hidden-tools-are-offered-to-the-model', file: shaping, find: 'call.dialect.edit.removeTools(call.body.fields, removed)', replace: 'void call.body', tests: ['conformance/model-calls/proposed-calls.test.ts'] },
  { name: 'arguments-are-not-validated', file: 'gateway/src/turns/deciding-tool-call.ts', find: "if (misfit !== undefined) return misfitArguments('input schema', misfit)", replace: 'void [misfit, misfitArguments]', tests: ['conformance/mcp/policy.test.ts'] },
  { name: 'arguments-are-rounded', file: 'gateway/src/turns/deciding-tool-call.ts', find: "if (call.unfit !== undefined) return misfitArguments('JSON numbers', call.unfit)", replace: '', tests: ['conformance/mcp/numbers.test.ts'] },
  { name: 'unreadable-arguments-are-decided-as-none', file: deciding, find: 'if (made.args === undefined) return unreadableArguments', replace: 'if (made.args === undefined) return rule(call, tool, { ...made, args: {} })', tests: ['gateway/src/invariants/04-'] },
  { name: 'result-is-not-admitted', file: toolCall, find: '  admitToolResult(call, execution)', replace: '  void admitToolResult', tests: ['gateway/src/invariants/01-'] },
  { name: 'connection-forgets-what-it-read', file: 'gateway/src/turns/admitting-tool-result.ts', find: 'const read = join(clientSession.policy.label, after.label)', replace: 'const read = join(clientSession.policy.label, clientSession.policy.label)', tests: ['conformance/mcp/tickets.test.ts'] },
  { name: 'parallel-call-does-not-reserve', file: 'gateway/src/turns/deciding-tool-call.ts', find: 'effects: reserve(session.policy.effects, call.callKey, verdict.effects)', replace: 'effects: session.policy.effects', tests: reserved },
  { name: 'proposed-call-does-not-reserve', file: deciding, find: 'effects: reserve(call.session.policy.effects, callKeyOf(call.modelCall, made.id), verdict.effects)', replace: 'effects: call.session.policy.effects', tests: reserved },
  { name: 'unanswered-call-counts-as-undone', file: 'gateway/src/turns/admitting-tool-result.ts', find: 'suspect(admitted.effects, reserved)', replace: 'admitted.effects', tests: reserved },
  { name: 'unrecorded-call-keeps-its-reservation', file: recording, find: 'effects: release(session.policy.effects, call.callKey)', replace: 'effects: session.policy.effects', tests: reserved },
  { name: 'unrecorded-proposal-keeps-its-reservation', file: deciding, find: 'effects = release(effects, callKeyOf(call.modelCall, made.id))', replace: 'void release', tests: reserved },
  { name: 'proposal-is-decided-on-the-new-snapshot', file: deciding, find: 'return decide(call.snapshot.policy,', replace: 'return decide(call.services.snapshot().policy,', tests: revision },
  { name: 'tool-call-is-decided-on-the-new-snapshot', file: 'gateway/src/turns/deciding-tool-call.ts', find: 'const verdict = decide(snapshot.policy,', replace: 'const verdict = decide(services.snapshot().policy,', tests: revision },
  { name: 'record-names-the-new-revision', file: 'gateway/src/turns/recording.ts', find: 'revision: call.snapshot.revision', replace: 'revision: call.services.snapshot().revision', tests: revision },
  { name: 'whole-answer-is-routed-on-the-new-snapshot', file: 'gateway/src/turns/relaying-json.ts', find: 'routeCall(call.services, call.snapshot,', replace: 'routeCall(call.services, call.services.snapshot(),', tests: revision },
]
