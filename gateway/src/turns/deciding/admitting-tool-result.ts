/** Joins what a tool returned into the label of the conversation it belongs to, before anything of it leaves the gateway. */
import { asTurnwardError } from '../../core/error.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import { admit, admittedLabel, type Admission, type PassedContent } from '../../policy/admit.ts'
import { comesFrom, type Evidence } from '../../policy/evidence.ts'
import { withAnswersHere } from '../quarantine/questioning-at-endpoint.ts'
import { labelOfRepeated } from '../quarantine/repeated-contents.ts'
import { largeBody } from '../../tools/large/large-result.ts'
import { sealAsked } from '../asked-again.ts'
import { sealTask } from '../tasks/task-handle.ts'
import type { EndedToolCall, ExecutedToolCall } from '../call.ts'
import { joining, narrow } from '../sessions/narrowing.ts'
import { rememberValues } from '../provenance/remembered-values.ts'
import { shortPieces } from '../provenance/short-pieces.ts'
import { isFreeLabel, labelOfWords, rememberWords, shownTexts, textsIn } from '../provenance/words-of-call.ts'
import { argumentsThatRun, labelOfRemembered } from '../remembering/remembered-labels.ts'
import { callStateOf, settleState } from '../state-of-call.ts'
import { noteOwnWords } from './refusing-tool-call.ts'
import { passedHandle, passedResult } from './passing-content.ts'
import { settleToolCall } from './settling-tool-call.ts'
import { subjectOf } from './tool-subject.ts'

export async function admitToolResult(call: ExecutedToolCall): Promise<EndedToolCall> {
  const { execution, before = call.session.policyState.label } = call
  try {
    const evidence = await evidenceOf(call)
    if (execution.outcome === 'asked' || execution.outcome === 'task') {
      await admitWords(call, evidence)
      const result = execution.outcome === 'asked' ? sealAsked(call, execution.result) : sealTask(call, execution.result)
      return { ...call, before, end: execution, result }
    }
    const content = await admitInto(call, evidence)
    const handle = await passedHandle(call, content, {
      from: call.tool.name,
      call: call.callKey,
      words: () => wordsOfResult(execution.result),
    })
    // Whoever reads the handle: the model floor asks when its model does, and knows what the person wants.
    const text = handle === undefined ? undefined : call.proposal === undefined ? await withAnswersHere(call, handle) : handle.text
    // The history will show what stands in its place as the result of the call: words of the gateway.
    if (text !== undefined) await noteOwnWords(call, text)
    await settleState(call.services)
    return { ...call, before, end: execution, result: passedResult(execution.result, text) }
  } catch (thrown) {
    // A label that cannot be kept is a label that would be lost: nobody gets to read what it stands for.
    const failure = asTurnwardError(thrown)
    if (call.turn !== null) failure.turn ??= call.turn
    return { ...call, before, end: { outcome: 'error', failure }, result: {} }
  }
}

/**
 * What a server says while a call goes on is its words, to a person or to a model. The call goes on: its effects are neither
 * had nor gone.
 */
async function admitWords(call: ExecutedToolCall, evidence: Evidence): Promise<void> {
  const { services, snapshot, session } = call
  await narrow(call, call.tool.name, joining(admittedLabel(snapshot.policy, admissionOf(call), evidence)))
  await services.sessions.save(session, snapshot.settings.turns.session_idle_ms)
  await settleState(services)
}

/** Admits what a server says of a call that goes on. */
export async function admitMeanwhile(call: ExecutedToolCall): Promise<void> {
  await admitWords(call, await evidenceOf(call))
}

function admitInto(call: ExecutedToolCall, evidence: Evidence): Promise<PassedContent> {
  const admission = admissionOf(call)
  return settleToolCall(call, (now) => {
    const { state, content } = admit(call.snapshot.policy, now, admission, evidence)
    return [state, content]
  })
}

/** Where the words of the result come from, what was kept until now included. They are remembered under the label they are read with. */
async function evidenceOf(call: ExecutedToolCall): Promise<Evidence> {
  const texts = textsOfResult(call.execution.result)
  const state = callStateOf(call.services)
  // Both parts of them that may have grown are read at one moment.
  if (state !== undefined) call.services.words.expect(state, call.caller.principal.id)
  const words = await labelOfWords(call, () => texts().join('\n'))
  const evidence = comesFrom(
    words,
    labelOfRepeated(call.handled, () => texts().join('\n')),
    await labelOfRemembered(call, [subjectOf(call.tool)], argumentsThatRun(call.request.args, call.handled)),
  )
  const added = admittedLabel(call.snapshot.policy, admissionOf(call), evidence)
  if (!isFreeLabel(call, added)) await rememberWords(call, [...texts(), ...piecesOfResult(call.execution.result)], added)
  await rememberValues(call, texts(), added, call.request.args)
  return evidence
}

/** What may be read of a result. Of a large one, what was found where it was read. */
function textsOfResult(result: JsonObject): () => readonly string[] {
  const large = largeBody(result)
  if (large !== undefined) return () => large.texts
  const { _meta: _notRead, ...read } = result
  return () => textsIn(read)
}

/** What a result says in parts that are too short to be found by themselves. */
function piecesOfResult(result: JsonObject): readonly string[] {
  if (largeBody(result) !== undefined) return []
  const { _meta: _notRead, ...read } = result
  return shortPieces(shownTexts(read))
}

/** What a result says, as somebody who is asked about it would read it. */
function wordsOfResult(result: JsonObject): string {
  const large = largeBody(result)
  if (large !== undefined) return large.texts.join('\n')
  const { content, structuredContent } = result
  const words = (Array.isArray(content) ? content : []).filter(isObject).flatMap((block) => {
    const text = isObject(block.resource) ? block.resource.text : block.text
    return typeof text === 'string' ? [text] : []
  })
  return words.length === 0 && structuredContent !== undefined ? JSON.stringify(structuredContent) : words.join('\n')
}

function admissionOf(call: ExecutedToolCall): Admission {
  const { caller, tool, callKey } = call
  // Resources and prompts have a form that nothing else can be put into.
  const canWithhold = call.request.kind === 'tool_call' && call.execution.failure === undefined
  return { tools: [subjectOf(tool)], principal: caller.principal, callKey, outcome: outcomeOf(call), canWithhold }
}

/** Whether the tool did what it was asked. A contract may say how success is recognised in a result that claims none of it failed. */
function outcomeOf({ snapshot, tool, execution: { outcome, result } }: ExecutedToolCall): Admission['outcome'] {
  if (outcome === 'tool_error') return 'failed'
  // A call that got no answer may have had its effect all the same.
  if (outcome !== 'ok') return 'possible'
  const succeeded = snapshot.policy.contractOf(tool.name)?.succeeded?.({ text: textsIn(result.content).join('\n'), isError: false })
  return succeeded === false ? 'failed' : 'done'
}
