/** Faults between client and vendor: refused calls that pass, headers that leak, streams that lie, buffers without an end. */
import type { Mutant } from '../mutant.ts'

const building = 'gateway/src/models/building-request.ts'
const stream = 'gateway/src/turns/answering/relaying-stream.ts'
const chatGate = 'gateway/src/wire/dialects/chat-completions/stream.ts'
const messagesGate = 'gateway/src/wire/dialects/messages/stream.ts'
const keys = 'gateway/src/wire/request/key-frames.ts'
const chatGateTests = ['gateway/src/wire/dialects/chat-completions/stream.test.ts']
const messagesGateTests = ['gateway/src/wire/dialects/messages/stream.test.ts']
const splices = ['gateway/src/invariants/denial-splice-model.test.ts']
const clientChoosesNothing = ['gateway/src/invariants/08-']
const guardTests = ['gateway/src/wire/request/json-guard.test.ts', 'gateway/src/wire/request/json-guard.mutants.test.ts']

const texts = 'gateway/src/wire/gate/text-events.ts'
const textTests = ['gateway/src/wire/gate/text-events.test.ts']

const tokenCounts = ['conformance/model-calls/token-counts.test.ts']
const listedModels = ['conformance/model-calls/listed-models.test.ts', 'gateway/src/models/offered-models.test.ts']

export const relayFaults: readonly Mutant[] = [
  {
    name: 'token-count-quotes-secrets',
    file: 'gateway/src/turns/counting-tokens.ts',
    find: 'maskSecrets(await collectBody(answered, maxAnswerBytes, name), routed.secrets)',
    replace: 'maskSecrets(await collectBody(answered, maxAnswerBytes, name), [])',
    tests: tokenCounts,
  },
  {
    name: 'token-count-is-sent-without-a-record',
    file: 'gateway/src/turns/counting-tokens.ts',
    find: "  recordTokenCount(count, 'The principal may use this model.')\n",
    replace: '',
    tests: tokenCounts,
  },
  {
    name: 'listed-models-are-shared-between-credentials',
    file: 'gateway/src/models/offered-models.ts',
    find: 'id, secret ?? null',
    replace: 'null',
    tests: listedModels,
  },
  {
    name: 'listed-models-lead-elsewhere',
    file: 'gateway/src/models/listing-models.ts',
    find: 'snapshot.routes.resolve(name) === route',
    replace: 'snapshot.routes.resolve(name) !== undefined',
    tests: listedModels,
  },
  {
    name: 'chat-gate-releases-everything',
    file: chatGate,
    find: 'calls.every((call) => allowed.has(call.id)) ? undefined : numberCalls(calls, allowed)',
    replace: 'calls.length >= 0 ? undefined : numberCalls(calls, allowed)',
    tests: chatGateTests,
  },
  {
    name: 'chat-gate-does-not-hold',
    file: chatGate,
    find: 'const mustHold = reading.hasCalls || (',
    replace: 'const mustHold = (',
    tests: chatGateTests,
  },
  {
    name: 'chat-gate-calls-a-cut-stream-complete',
    file: chatGate,
    find: 'const isComplete = round.isComplete()',
    replace: 'const isComplete = round.error === undefined',
    tests: chatGateTests,
  },
  {
    name: 'messages-gate-releases-everything',
    file: messagesGate,
    find: 'calls.filter((call) => !allowed.has(call.view.id)).map((call) => call.index)',
    replace: 'calls.filter((call) => call.index < 0).map((call) => call.index)',
    tests: messagesGateTests,
  },
  {
    name: 'messages-gate-does-not-hold',
    file: messagesGate,
    find: 'if (isCall || this.holding) this.#held.add',
    replace: 'if (this.holding) this.#held.add',
    tests: messagesGateTests,
  },
  {
    name: 'messages-gate-calls-a-cut-stream-complete',
    file: messagesGate,
    find: 'const isComplete = round.isComplete()',
    replace: 'const isComplete = round.error === undefined',
    tests: messagesGateTests,
  },
  {
    name: 'whole-answer-keeps-refused-calls',
    file: 'gateway/src/turns/answering/relaying-json.ts',
    find: 'if (refused.length > 0) respond.dropCalls(body,',
    replace: 'if (refused.length < 0) respond.dropCalls(body,',
    tests: splices,
  },
  {
    name: 'stream-releases-refused-calls',
    file: stream,
    find: 'gate.release(allowed)',
    replace: 'gate.release(new Set(round.calls.map((made) => made.id)))',
    tests: splices,
  },
  {
    name: 'splices-never-end',
    file: stream,
    find: 'if (rounds.length >= maxSplices || call.view.choices > 1) {',
    replace: 'if (rounds.length >= maxSplices + 1 || call.view.choices > 1) {',
    tests: splices,
  },
  {
    name: 'truncated-stream-is-complete',
    file: stream,
    find: 'if (!round.complete) throw',
    replace: 'if (round.complete === undefined) throw',
    tests: ['conformance/model-calls/broken-answers.test.ts'],
  },
  {
    name: 'stream-fails-over-after-the-first-byte',
    file: stream,
    find: '      if (!round.complete) throw',
    replace:
      '      if (!round.complete && usages.length < 3) {\n        usages.push({})\n        continue\n      }\n      if (!round.complete) throw',
    tests: ['gateway/src/turns/answering/relaying-stream.mutants.test.ts'],
  },
  {
    name: 'fail-over-on-a-request-that-is-wrong',
    file: 'gateway/src/models/routing-upstream.ts',
    find: 'return status === 429 || status >= 500',
    replace: 'return status >= 400',
    tests: ['conformance/model-calls/failover.test.ts'],
  },
  {
    name: 'no-fail-over-on-429',
    file: 'gateway/src/models/routing-upstream.ts',
    find: 'return status === 429 || status >= 500',
    replace: 'return status >= 500',
    tests: ['conformance/model-calls/failover.test.ts'],
  },
  {
    name: 'usage-of-rounds-is-not-summed',
    file: 'gateway/src/turns/recording/usage.ts',
    find: 'sum[field] = (sum[field] ?? 0) + value',
    replace: 'sum[field] = value',
    tests: splices,
  },
  {
    name: 'client-cookie-reaches-the-vendor',
    file: building,
    find: 'for (const name of provider.forwardedHeaders) {',
    replace: "for (const name of [...provider.forwardedHeaders, 'cookie']) {",
    tests: clientChoosesNothing,
  },
  {
    name: 'any-client-header-reaches-the-vendor',
    file: building,
    find: 'for (const name of provider.forwardedHeaders) {',
    replace: "for (const name of Object.keys(call.clientHeaders).filter((header) => header.startsWith('x-'))) {",
    tests: clientChoosesNothing,
  },
  {
    name: 'client-authorization-reaches-the-vendor',
    file: building,
    find: 'for (const name of provider.forwardedHeaders) {',
    replace: "for (const name of [...provider.forwardedHeaders, 'authorization']) {",
    tests: clientChoosesNothing,
  },
  {
    name: 'upstream-headers-reach-the-client',
    file: 'gateway/src/turns/answering/answering-client.ts',
    find: 'of routed.provider.returnedHeaders) {',
    replace: "of ['set-cookie', ...routed.provider.returnedHeaders]) {",
    tests: clientChoosesNothing,
  },
  {
    name: 'upstream-401-is-passed-through',
    file: 'gateway/src/turns/answering/relaying-failure.ts',
    find: 'response.status === 401 || response.status === 403',
    replace: 'response.status === 403',
    tests: ['gateway/src/turns/answering/relaying-failure.mutants.test.ts'],
  },
  {
    name: 'upstream-403-is-passed-through',
    file: 'gateway/src/turns/answering/relaying-failure.ts',
    find: 'response.status === 401 || response.status === 403',
    replace: 'response.status === 401',
    tests: ['gateway/src/turns/answering/relaying-failure.mutants.test.ts'],
  },
  {
    name: 'event-size-is-unbounded',
    file: 'gateway/src/wire/framing/sse.ts',
    find: 'if (size > this.#maxEventBytes) throw',
    replace: 'if (size < 0) throw',
    tests: ['gateway/src/wire/framing/sse.test.ts', ...chatGateTests],
  },
  {
    name: 'held-events-are-unbounded',
    file: 'gateway/src/wire/gate/held-events.ts',
    find: 'if (this.#size > this.#maxBytes) throw',
    replace: 'if (this.#size < 0) throw',
    tests: [...chatGateTests, ...messagesGateTests],
  },
  { name: 'words-with-an-escape-are-taken', file: texts, find: 'byte === backslash || ', replace: '', tests: textTests },
  { name: 'words-with-a-control-are-taken', file: texts, find: ' || byte < space', replace: '', tests: textTests },
  {
    name: 'end-of-an-event-is-not-compared',
    file: texts,
    find: 'end <= bytes.length && bytes.compare(after',
    replace: 'end <= bytes.length || bytes.compare(after',
    tests: textTests,
  },
  {
    name: 'place-of-words-is-not-proved',
    file: texts,
    find: 'if (JSON.stringify(payloadOf(before + probe + after)) !== JSON.stringify(expected)) return',
    replace: 'void [payloadOf, expected]',
    tests: textTests,
  },
  { name: 'known-event-says-nothing', file: texts, find: 'shape.onText(bytes', replace: 'void (bytes', tests: textTests },
  {
    name: 'announced-size-is-unbounded',
    file: 'gateway/src/wire/request/request-bytes.ts',
    find: 'if (announced > limits.max_body_bytes)',
    replace: 'if (announced < 0)',
    tests: ['gateway/src/models/reading-body.test.ts'],
  },
  {
    name: 'first-part-of-a-body-is-taken-for-all',
    file: 'gateway/src/wire/request/request-bytes.ts',
    find: 'request.readableLength === announced',
    replace: 'request.readableLength > 0',
    tests: ['gateway/src/models/reading-body.test.ts'],
  },
  {
    name: 'body-size-is-unbounded',
    file: 'gateway/src/wire/request/request-bytes.ts',
    find: 'if (size > limits.max_body_bytes) fail(tooLarge(limits))',
    replace: 'if (size < 0) fail(tooLarge(limits))',
    tests: ['gateway/src/models/reading-body.test.ts'],
  },
  {
    name: 'response-size-is-unbounded',
    file: 'gateway/src/models/collecting-body.ts',
    find: 'if (size > maxBytes) {',
    replace: 'if (size < 0) {',
    tests: ['gateway/src/models/'],
  },
  {
    name: 'body-depth-is-unbounded',
    file: 'gateway/src/wire/request/json-guard.ts',
    find: 'if (++depth > limits.maxDepth) throw',
    replace: 'if (++depth < 0) throw',
    tests: guardTests,
  },
  {
    name: 'duplicate-key-passes',
    file: keys,
    find: '=== name) throw ambiguous(name)',
    replace: '=== name && start < 0) throw ambiguous(name)',
    tests: guardTests,
  },
  {
    name: 'duplicate-key-passes-in-a-large-object',
    file: keys,
    find: 'if (set.has(name)) throw ambiguous(name)',
    replace: 'if (set.has(name) && start < 0) throw ambiguous(name)',
    tests: guardTests,
  },
  {
    name: 'case-variant-passes',
    file: keys,
    find: 'if (folded !== name && fieldsWeRead.has(folded)) throw ambiguous(name)',
    replace: 'void [folded, fieldsWeRead]',
    tests: guardTests,
  },
  {
    name: 'unmodified-bytes-are-rewritten',
    file: 'gateway/src/turns/answering/relaying-json.ts',
    find: '!isEdited && answer.bytes !== undefined ? answer.bytes',
    replace: 'isEdited && answer.bytes !== undefined ? answer.bytes',
    tests: ['gateway/src/invariants/05-'],
  },
  {
    name: 'unmodified-request-is-rewritten',
    file: building,
    find: 'if (converter === undefined && call.bytes !== undefined &&',
    replace: 'if (converter === undefined && call.bytes === null &&',
    tests: ['gateway/src/invariants/05-'],
  },
]
