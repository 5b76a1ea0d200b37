/**
 * A request whose person has no account at its server: who can open pages is asked to open the one where it is connected, and the
 * request goes on when it is. Everybody else is told the address, to pass it on.
 */
import { randomText } from '../core/ids.ts'
import { TurnwardError } from '../core/error.ts'
import { asText, isObject, type JsonObject } from '../core/json.ts'
import type { Resumed } from '../tools/catalogue.ts'
import type { DecidedToolCall, Execution } from './call.ts'
import { noteOwnWords } from './deciding/refusing-tool-call.ts'

/** Name of what the client is asked; the account there was when it was asked stands behind it. */
const askedName = 'turnward-account-'

/** What a client did with the page it was asked to open, and what else it answers. */
export interface Opened {
  readonly action: 'opened' | 'declined'
  /** The account there was when it was asked. */
  readonly before: string
}

/** Takes the answer that is for us out of those that are for the server. */
export function openedPage(resumed: Resumed | undefined): { readonly opened: Opened | undefined; readonly rest: Resumed | undefined } {
  const own = [...(resumed?.answers ?? [])].find(([key]) => key.startsWith(askedName))
  if (resumed === undefined || own === undefined) return { opened: undefined, rest: resumed }
  const [key, answer] = own
  const action = 'result' in answer && answer.result.action === 'accept' ? 'opened' : 'declined'
  // Nothing of the request has reached its server: it is made from the start.
  return { opened: { action, before: key.slice(askedName.length) }, rest: undefined }
}

/** What becomes of a request that needs an account. `failure`: `mcp.link_needed`. */
export async function accountNeeded(call: DecidedToolCall, failure: TurnwardError, opened: Opened | undefined): Promise<Execution> {
  const url = asText(failure.details?.url)
  const { offers } = call.request
  if (opened === undefined && url !== '' && opensPages(offers))
    return { outcome: 'asked', result: askToOpen(call.tool.server, url, asText(failure.details?.before)) }
  // The model reads it as the answer of the tool, and it says nothing that anybody else has written.
  if (call.proposal !== undefined) await noteOwnWords(call, failure.message)
  return { outcome: 'error', result: {}, failure }
}

/** `mcp.link_needed` for a person who did not want to open the page. */
export function accountDeclined(server: string): TurnwardError {
  return new TurnwardError('mcp.link_needed', {
    subject: server,
    why: 'the person was asked to connect one, and declined',
    fix: 'Do not ask again unless the person wants it; the same call asks again.',
  })
}

function opensPages(offers: JsonObject | undefined): boolean {
  return isObject(offers?.elicitation) && isObject(offers.elicitation.url)
}

function askToOpen(server: string, url: string, before: string): JsonObject {
  const message = `To use ${server} for you, your own account there has to be connected. Open this page to do that.`
  const params = { mode: 'url', message, url, elicitationId: `account-${randomText(16)}` }
  return { resultType: 'input_required', inputRequests: { [`${askedName}${before}`]: { method: 'elicitation/create', params } } }
}
