/** Plugins that ask a service about texts: what they all can be told, as settings of a guard. */
import { DraftEntry } from '../../gateways/draft-entry.ts'
import { setFailing, setHold, setSide, setUsersOnly, setWait, type Side } from '../../gateways/guard-settings.ts'
import type { KongPlugin } from '../plugins.ts'

export const sides: Readonly<Record<string, Side>> = { INPUT: 'input', OUTPUT: 'output', BOTH: 'both' }

/** A guard of the kind, with everything that is not about its service. */
export function askingGuard(kind: string, { get, whole }: KongPlugin): DraftEntry {
  const entry = new DraftEntry().set('kind', kind)
  entry.from(whole.get('name') ?? whole, 'kind')
  setSide(entry, get('guarding_mode'), sides, 'input')
  const source = get('text_source')
  if (source?.text() === 'concatenate_user_content') setUsersOnly(entry, source)
  setFailing(entry, get('stop_on_error'), false)
  setWait(entry, get('timeout'), 1)
  setHold(entry, get('response_buffer_size'))
  return entry
}

const refusals = 'a refusal names the guard, in the way of each vendor'

/** What none of them needs here. */
export const leftOfAskingGuard: Readonly<Record<string, string>> = {
  text_source: 'all of a request is looked at',
  request_failure_message: refusals,
  response_failure_message: refusals,
  reveal_failure_categories: refusals,
  reveal_failure_reason: refusals,
  log_blocked_content: 'what was found is on record by its kind, and never what it said',
}
