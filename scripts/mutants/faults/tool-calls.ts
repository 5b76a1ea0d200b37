/** Faults in the life of a tool call: acting before the record, tickets that fit anybody, effects that leak. */
import type { Mutant } from '../mutant.ts'

const toolCall = 'gateway/src/turns/tool-call.ts'
const recording = 'gateway/src/turns/recording/recording-tool-call.ts'
const deciding = 'gateway/src/turns/deciding/deciding-proposals.ts'
const resolving = 'gateway/src/turns/resolving-tool.ts'
const shaping = 'gateway/src/turns/deciding/shaping-tools.ts'
const durability = ['gateway/src/invariants/03-']
const listed = ['gateway/src/invariants/02-']
const reserved = ['gateway/src/invariants/06-']
const outliving = ['gateway/src/invariants/12-']
const revision = ['gateway/src/invariants/07-']

export const toolCallFaults: readonly Mutant[] = [
  {
    name: 'tool-runs-before-its-record',
    file: toolCall,
    find: '  await recordToolDecision(call, verdict, label)',
    replace: '  void recordToolDecision(call, verdict, label).catch(() => {})',
    tests: durability,
  },
  {
    name: 'tool-is-dispatched-before-its-record',
    file: toolCall,
    find: '  await recordToolDecision(call, verdict, label)',
    replace:
      "  const early = verdict.action === 'deny' ? undefined : executeTool(call, request)\n  await recordToolDecision(call, verdict, label)\n  await early",
    tests: durability,
  },
  {
    name: 'strict-durability-is-relaxed',
    file: recording,
    find: 'await services.log.appendDurably(record)',
    replace: 'services.log.append(record)',
    tests: durability,
  },
  {
    name: 'proposal-is-released-before-its-record',
    file: deciding,
    find: 'await Promise.all(writes)',
    replace: 'void Promise.all(writes).catch(() => {})',
    tests: durability,
  },
  {
    name: 'proposal-durability-is-relaxed',
    file: deciding,
    find: "writes.push(snapshot.settings.audit.durability === 'strict' ?",
    replace: 'writes.push(snapshot.settings.audit.durability === undefined ?',
    tests: durability,
  },
  {
    name: 'refused-tool-runs',
    file: toolCall,
    find: "if (verdict.action === 'deny') {",
    replace: 'if (verdict.action === undefined) {',
    tests: [...listed, 'gateway/src/invariants/04-'],
  },
  {
    name: 'ticket-is-not-bound-to-the-tool',
    file: 'gateway/src/turns/sessions/tickets.ts',
    find: '${tool.length}:${tool}${argumentsDigest}`',
    replace: '${tool.length - tool.length}:${argumentsDigest}`',
    tests: ['gateway/src/turns/sessions/tickets.test.ts'],
  },
  {
    name: 'tickets-may-be-missing',
    file: 'gateway/src/turns/deciding/deciding-tool-call.ts',
    find: "=== 'required' && call.held === undefined",
    replace: "=== 'required' && call.held === null",
    tests: ['conformance/mcp/tickets.test.ts'],
  },
  {
    name: 'gateway-grant-is-not-asked',
    file: resolving,
    find: 'if (source === undefined || !snapshot.gateways.has(gateway))',
    replace: 'if (!snapshot.gateways.has(gateway))',
    tests: listed,
  },
  {
    name: 'tool-grant-is-not-asked-before-the-session',
    file: resolving,
    find: 'if (tool !== undefined && isGranted(tool.name))',
    replace: 'if (tool !== undefined)',
    tests: listed,
  },
  {
    name: 'server-that-is-down-is-told-without-a-grant',
    file: resolving,
    find: 'if (down !== undefined && isGranted(down.tool))',
    replace: 'if (down !== undefined)',
    tests: outliving,
  },
  {
    name: 'tool-of-a-server-that-is-down-is-unknown',
    file: resolving,
    find: 'if (down !== undefined && isGranted(down.tool))',
    replace: 'if (down === null)',
    tests: outliving,
  },
  {
    name: 'credential-is-that-of-the-current-revision',
    file: toolCall,
    find: 'credentialOf(snapshot, tool.server)',
    replace: 'credentialOf(services.snapshot(), tool.server)',
    tests: revision,
  },
  {
    name: 'model-grant-is-not-asked',
    file: 'gateway/src/turns/deciding/authorising-model.ts',
    find: "granted(snapshot.policy.grants, principal, 'models', model)",
    replace: "granted(snapshot.policy.grants, principal, 'models', model) ?? (model === '' ? undefined : 'grant #0')",
    tests: ['conformance/model-calls/request-guards.test.ts', 'conformance/model-calls/configuration.test.ts'],
  },
  {
    name: 'hidden-tools-are-listed',
    file: shaping,
    find: "return hide === 'never' && !verdict.gaps.some((gap) => gap.kind === 'grant')",
    replace: "return true || hide === 'never'",
    tests: listed,
  },
  {
    name: 'ungranted-tools-are-listed',
    file: shaping,
    find: "return hide === 'never' && !verdict.gaps.some((gap) => gap.kind === 'grant')",
    replace: "return hide === 'never'",
    tests: listed,
  },
  { name: 'tool-list-outlives-the-label', file: shaping, find: 'cache.state !== call.session.policy || ', replace: '', tests: listed },
  {
    name: 'hidden-tools-are-offered-to-the-model',
    file: shaping,
    find: 'call.dialect.edit.removeTools(call.body.fields, removed)',
    replace: 'void call.body',
    tests: ['conformance/model-calls/proposed-calls.test.ts'],
  },
  {
    name: 'arguments-are-not-validated',
    file: 'gateway/src/turns/deciding/deciding-tool-call.ts',
    find: "if (misfit !== undefined) return misfitArguments('input schema', misfit)",
    replace: 'void [misfit, misfitArguments]',
    tests: ['conformance/mcp/policy.test.ts'],
  },
  {
    name: 'arguments-are-rounded',
    file: 'gateway/src/turns/deciding/deciding-tool-call.ts',
    find: "if (call.unfit !== undefined) return misfitArguments('JSON numbers', call.unfit)",
    replace: '',
    tests: ['conformance/mcp/numbers.test.ts'],
  },
  {
    name: 'unreadable-arguments-are-decided-as-none',
    file: deciding,
    find: 'if (args === undefined) return through ? unreadableInnerCall : unreadableArguments',
    replace: 'if (args === undefined) return rule(call, state, { tools, args: {}, through, calledAs: undefined }, made)',
    tests: ['gateway/src/invariants/04-'],
  },
  {
    name: 'result-is-not-admitted',
    file: toolCall,
    find: 'const admitted = await admitToolResult(call, execution)',
    replace: 'const admitted: Awaited<ReturnType<typeof admitToolResult>> = { before: call.session.policy.label, end: execution }',
    tests: ['gateway/src/invariants/01-'],
  },
  {
    name: 'parallel-call-does-not-reserve',
    file: 'gateway/src/turns/deciding/deciding-tool-call.ts',
    find: 'reserve(state.effects, call.callKey, verdict.effects)',
    replace: 'state.effects',
    tests: reserved,
  },
  {
    name: 'proposed-call-does-not-reserve',
    file: deciding,
    find: 'effects: reserve(state.effects, callKey, verdict.effects)',
    replace: 'effects: state.effects',
    tests: reserved,
  },
  {
    name: 'unanswered-call-counts-as-undone',
    file: 'gateway/src/turns/deciding/admitting-tool-result.ts',
    find: 'suspect(release(effects, callKey), reserved)',
    replace: 'release(effects, callKey)',
    tests: reserved,
  },
  {
    name: 'unrecorded-call-keeps-its-reservation',
    file: recording,
    find: 'effects: release(state.effects, call.callKey)',
    replace: 'effects: state.effects',
    tests: reserved,
  },
  {
    name: 'unrecorded-proposal-keeps-its-reservation',
    file: deciding,
    find: 'release(left, callKeyOf(call.modelCall, made.id))',
    replace: 'left',
    tests: reserved,
  },
  {
    name: 'proposal-is-decided-on-the-new-snapshot',
    file: deciding,
    find: 'return decideAll(snapshot.policy,',
    replace: 'return decideAll(call.services.snapshot().policy,',
    tests: revision,
  },
  {
    name: 'tool-call-is-decided-on-the-new-snapshot',
    file: 'gateway/src/turns/deciding/deciding-tool-call.ts',
    find: 'return decide(snapshot.policy,',
    replace: 'return decide(call.services.snapshot().policy,',
    tests: revision,
  },
  {
    name: 'record-names-the-new-revision',
    file: 'gateway/src/turns/recording/recording.ts',
    find: 'revision: call.snapshot.revision',
    replace: 'revision: call.services.snapshot().revision',
    tests: revision,
  },
  {
    name: 'whole-answer-is-routed-on-the-new-snapshot',
    file: 'gateway/src/turns/answering/relaying-json.ts',
    find: 'routeCall(call.services, call.snapshot,',
    replace: 'routeCall(call.services, call.services.snapshot(),',
    tests: revision,
  },
]
