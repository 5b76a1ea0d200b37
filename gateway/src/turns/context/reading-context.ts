/**
 * What a person has just said is what the retrievers of the route are asked about. What they find is admitted like the result of a
 * tool, under the contract of `context__<name>`, and so it narrows the label before anything is decided. It is found once for a turn:
 * later requests of the turn have the same words in the same place, though their client does not send them.
 */
import type { Retriever, Route } from '../../config/snapshot.ts'
import { TurnwardError } from '../../core/error.ts'
import { sha256 } from '../../core/hash.ts'
import { withKeepAlive } from '../answering/keeping-alive.ts'
import type { ModelCall } from '../call.ts'
import { admitAnswered, type AnsweredCall } from '../deciding/admitting-history.ts'
import { ServiceFailure } from '../guards/examiner.ts'
import { seal, unseal } from '../keeping/sealing.ts'
import { isFromPerson } from '../sessions/attaching-session.ts'
import { askRetriever } from './asking-retriever.ts'
import { type ContextRead, subjectOf, textOfPassages } from './context-of-call.ts'

/** Most characters of what was said that a retriever is told. */
const mostAsked = 8000

/** Throws `context.unavailable` where a retriever must answer and does not. */
export async function readContext(call: ModelCall, { context, targets }: Pick<Route, 'context' | 'targets'>): Promise<void> {
  if (context.length === 0 || call.side !== undefined || isOfNoPerson(call)) return
  const { history, client, view, caller, origin, dialect } = call
  const said = history.findLastIndex(({ message }) => isFromPerson(message, client))
  const entry = history[said]
  if (entry === undefined) return
  const { text } = entry.message
  const query = (client?.typed?.(text) ?? text).trim().slice(0, mostAsked)
  const facts = { caller, headers: origin.headers, dialect: dialect.name }
  const asked = context.filter(({ applies }) => applies?.(view.model, facts) ?? true)
  if (query === '' || asked.length === 0) return
  const behind = history.findIndex(({ message }, index) => index > said && message.role === 'assistant')
  const answered = behind < 0 ? undefined : behind
  const reads: ContextRead[] = []
  const records: NonNullable<ModelCall['context']>['records'] = []
  call.context = { said, answered, reads, records }
  const models = [view.model, ...targets.flatMap(({ model }) => model ?? [])]
  const lookUp = (retriever: Retriever): Promise<Found> =>
    find(call, retriever, { place: entry.place, query, isNew: said === history.length - 1 })
  const found = await withKeepAlive(call, () => Promise.all(asked.map(lookUp)))
  for (const { name, fail, passages, failure } of found) {
    const read = passages.length === 0 ? undefined : await admitPassages(call, { name, place: entry.place, passages, models })
    if (read !== undefined) reads.push(read)
    const failed = failure === undefined ? {} : { failed: true as const }
    records.push({ source: name, passages: passages.length, digest: read?.digest ?? null, ...failed })
    if (failure !== undefined && fail === 'closed')
      throw new TurnwardError('context.unavailable', { subject: name, why: failure.message, cause: failure.cause })
  }
}

/** What a model has written is nothing that a person asks: conversations of agents, of servers and of the gateway itself. */
function isOfNoPerson({ session, origin }: ModelCall): boolean {
  return origin.granted !== undefined || (session.state.parent !== null && session.state.source !== 'fork')
}

interface Found {
  readonly name: string
  readonly fail: Retriever['config']['fail']
  readonly passages: readonly string[]
  readonly failure?: ServiceFailure
}

/** Rejects when nobody waits any more. `isNew`: the message is new, and so is what is found about it. */
async function find(
  { services, snapshot, origin }: ModelCall,
  retriever: Retriever,
  { place, query, isNew }: { readonly place: string; readonly query: string; readonly isNew: boolean },
): Promise<Found> {
  const { name, config } = retriever
  const key = `${place}|${name}`
  const kept = isNew ? undefined : await services.state.get('context', key)
  const opened = kept === undefined ? undefined : unseal(services.secret, key, kept.sealed)
  if (opened !== undefined) return { name, fail: config.fail, passages: JSON.parse(opened.toString('utf8')) as string[] }
  const answer: Omit<Found, 'name' | 'fail'> = await askRetriever(services, retriever, query, origin.signal).then(
    (passages) => ({ passages }),
    (error: unknown) => {
      if (error instanceof ServiceFailure) return { passages: [], failure: error }
      throw error
    },
  )
  // Where the call goes on without it, so do the others of its turn.
  if (answer.failure === undefined || config.fail === 'open') {
    const sealed = seal(services.secret, key, Buffer.from(JSON.stringify(answer.passages)))
    await services.state.put('context', key, { sealed }, services.clock.now() + snapshot.settings.turns.session_idle_ms)
  }
  return { name, fail: config.fail, ...answer }
}

/** The result of the tool that stands for the retriever, admitted each time: its contract may have been tightened since. */
async function admitPassages(
  call: ModelCall,
  found: { readonly name: string; readonly place: string; readonly passages: readonly string[]; readonly models: readonly string[] },
): Promise<ContextRead> {
  const subject = subjectOf(found.name)
  const tool = subject.name
  const { text, digest } = textOfPassages(found.passages)
  // Nine letters and digits are what every vendor takes; a vendor whose calls have no ids knows it by its name.
  const id = sha256(`${found.place}|${found.name}`).slice(0, 9)
  const callId = call.dialect.idsOf?.([{ name: tool, args: {} }])[0] ?? id
  const result = { callId: id, text, isError: false }
  const made: AnsweredCall = { name: tool, tools: [subject], callKey: `${call.modelCall}:${id}`, args: {}, canWithhold: true }
  const stands = (await admitAnswered(call, result, made)) ?? text
  const { assistant, call: native } = call.dialect.edit.makeCall({ id, name: tool, models: found.models })
  const answered = { id: callId, name: tool, call: native, notice: stands, isAnswer: true } as const
  const round = { assistant, calls: [answered] }
  return { source: found.name, tool, callId: id, passages: found.passages.length, digest, text: stands, round }
}
