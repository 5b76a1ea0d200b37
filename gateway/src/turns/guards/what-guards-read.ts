/** Which words a guard reads, and what is looked at as a whole. Pure. */
import type { GuardRecord } from '@turnward/contract/decision'
import type { Guard } from '../../config/snapshot.ts'
import type { Place } from './guard.ts'
import { openGuard } from './guard-kinds.ts'
import type { TextUnit } from './text-units.ts'

export type Side = GuardRecord['on']

/** Whether a guard reads what stands there. What the model thinks is read like an answer. */
export function reads({ config }: Guard, place: Place): boolean {
  if (config.parts === undefined || place === 'answer' || place === 'thought') return true
  return config.parts.includes(place)
}

/** Why all that was said is not allowed: of a request, what the user said last. */
export function refusesWhole(guard: Guard, side: Side, units: readonly TextUnit[]): string | undefined {
  const { inspector } = openGuard(guard)
  if (inspector?.refuses === undefined) return undefined
  if (side === 'output') {
    const said = units.filter(({ place }) => place === 'answer')
    return said.length === 0 ? undefined : inspector.refuses(said.map(({ text }) => text).join('\n'))
  }
  const last = saidLast(units)
  // Where a tool was heard last, the user has said nothing new.
  return last.length === 0 ? undefined : inspector.refuses(last.map(({ text }) => text).join('\n'))
}

/** What the user has said last; nothing where a tool was heard since. */
export function saidLast(units: readonly TextUnit[]): readonly TextUnit[] {
  const spoken = units.filter(({ place }) => place !== 'system' && place !== 'tools' && place !== 'settings')
  return spoken.slice(spoken.findLastIndex(({ place }) => place !== 'user') + 1)
}
