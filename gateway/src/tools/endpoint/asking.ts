/**
 * What servers ask for, brought to the client in the way of its era. One of the modern era gets a result that asks and makes
 * its request again; one of the legacy era is asked on the stream of its request, and the request goes on when it has answered.
 */
import { TurnwardError } from '../../core/error.ts'
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { readInputRequired, type Ask, type AskAnswer, type InputRequired } from '../asks.ts'
import type { Resumed } from '../catalogue.ts'
import type { ServerRequest } from '../operations.ts'
import type { MethodCall } from './parts.ts'

/** Asks the client of one request something. Rejects when it will not answer any more. */
export type AskClient = (ask: Ask) => Promise<AskAnswer>

/** How often one request may come back to its client. */
const mostRounds = 64

/** What a modern request brings back that has asked for input before; undefined for one that is made for the first time. Throws `request.invalid`. */
export function readResumed({ inputResponses, requestState }: JsonObject): Resumed | undefined {
  if (isAbsent(inputResponses) && isAbsent(requestState)) return undefined
  const responses = inputResponses ?? {}
  if (!isObject(responses) || !Object.values(responses).every(isObject))
    throw new TurnwardError('request.invalid', { subject: 'inputResponses', why: 'it must be an object of results' })
  if (!isAbsent(requestState) && typeof requestState !== 'string')
    throw new TurnwardError('request.invalid', { subject: 'requestState', why: 'it must be text' })
  const answers = new Map(
    Object.entries(responses as Readonly<Record<string, JsonObject>>).map(([key, result]) => [key, { result }] as const),
  )
  return { state: requestState ?? undefined, answers }
}

/** Makes a request until its result is final, and asks the client of the legacy era meanwhile. `request`: as it was made. */
export async function answeredByClient(
  { parts, context, ask }: MethodCall,
  request: ServerRequest,
  run: (request: ServerRequest) => Promise<JsonObject>,
): Promise<JsonObject> {
  let result = await run(request)
  for (let round = 0; ; round += 1) {
    const asked = readInputRequired(result)
    if (asked === undefined) return result
    const answers = await answersTo(asked, ask, round, () => parts.operations.abandon(context, request, asked.state ?? ''))
    result = await run({ ...request, resumed: { state: asked.state, answers } })
  }
}

async function answersTo(
  { requests }: InputRequired,
  ask: AskClient | undefined,
  round: number,
  abandon: () => void,
): Promise<ReadonlyMap<string, AskAnswer>> {
  try {
    if (ask === undefined)
      throw new TurnwardError('mcp.missing_capability', { why: 'the client takes no event stream on which it could be asked' })
    if (round >= mostRounds) throw new TurnwardError('mcp.missing_capability', { why: `the server asks more than ${mostRounds} times` })
    return new Map(await Promise.all([...requests].map(async ([key, one]) => [key, await ask(one)] as const)))
  } catch (error) {
    abandon()
    throw error
  }
}

function isAbsent(value: JsonValue | undefined): value is null | undefined {
  return value === undefined || value === null
}
