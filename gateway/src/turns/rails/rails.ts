/** Whether an answer goes to people over the rail: it is made under a label of less than the configured trust. */
import { compileNames } from '../../policy/patterns.ts'
import type { JsonObject } from '../../core/json.ts'
import type { ModelCall } from '../call.ts'
import { stateWhenSent } from '../deciding/narrowing-when-sent.ts'
import { RailedEvents } from './railed-events.ts'
import { RailedTexts } from './railed-texts.ts'
import type { RailSettings } from './text-rail.ts'

/** Undefined where the answer passes as it is. */
export function railOf(call: ModelCall): RailSettings | undefined {
  const { rails } = call.snapshot.settings
  if (rails === undefined || (rails.links === 'off' && rails.invisible === 'off')) return undefined
  const { trustRanks } = call.snapshot.policy
  const below = rails.below === undefined ? trustRanks.length - 1 : trustRanks.indexOf(rails.below)
  // What the vendor's own tools may read within the answer counts as read.
  const ranks = [stateWhenSent(call).label.trust, ...call.ifRun.map(({ label }) => label.trust)]
  if (Math.min(...ranks) >= below) return undefined
  const allowed = compileNames(rails.allowed.map((host) => host.toLowerCase()))
  return {
    isAllowed: rails.links === 'off' ? undefined : (host) => allowed.matches(host),
    removesInvisible: rails.invisible === 'remove',
  }
}

/** Where the bytes of a stream go before the gate: undefined where they go there at once. */
export function railedEvents(call: ModelCall, push: (bytes: Buffer) => void): RailedEvents | undefined {
  const settings = railOf(call)
  if (settings === undefined) return undefined
  return new RailedEvents(call.dialect, settings, {
    noted: call.neutralised,
    maxEventBytes: call.snapshot.settings.limits.max_event_bytes,
    push,
  })
}

/** Writes a whole answer as people may have it. True when something changed. */
export function railWhole(call: ModelCall, body: JsonObject): boolean {
  const settings = railOf(call)
  if (settings === undefined) return false
  const noted = { links: 0, invisible: 0 }
  new RailedTexts(settings, noted).takeAll(call.dialect.shownTexts(body, ''))
  call.neutralised.links += noted.links
  call.neutralised.invisible += noted.invisible
  return noted.links + noted.invisible > 0
}
