/** One guard asks about texts: as many at once as it takes, those it has passed before left out. */
import type { Guard } from '../../config/snapshot.ts'
import { BoundedMap } from '../../core/bounded-map.ts'
import { sha256 } from '../../core/hash.ts'
import type { Examined, Examiner, Asking } from './examiner.ts'
import type { GuardsOfCall } from './guards-of-call.ts'
import { reads, saidLast, type Side } from './what-guards-read.ts'
import type { TextUnit } from './text-units.ts'

export interface ExaminedTexts {
  readonly side: Side
  readonly units: readonly TextUnit[]
  readonly asking: Asking
}

const mostPassed = 20_000
const passed = new WeakMap<Guard, BoundedMap<string, true>>()

/** Throws what the call is refused with. */
export async function examineTexts(
  guards: GuardsOfCall,
  guard: Guard,
  examiner: Examiner,
  { side, units, asking }: ExaminedTexts,
): Promise<void> {
  const isAboutLast = examiner.isAboutLast === true
  const heard = isAboutLast ? (side === 'input' ? saidLast(units) : units.filter(({ place }) => place === 'answer')) : units
  const known = passedBy(guard)
  const asked = heard.filter(
    (unit) =>
      reads(guard, unit.place) && !isName(unit) && unit.text.trim() !== '' && (isAboutLast || known.get(keyOf(side, unit)) === undefined),
  )
  let isClean = true
  for (const some of portions(asked, examiner.most)) {
    let examined: Examined
    try {
      examined = await examiner.examine(
        side,
        some.map(({ place, text }) => ({ place, text })),
        asking,
      )
    } catch (thrown) {
      guards.failed(guard, side, thrown)
      return
    }
    isClean &&= examined.found.length === 0
    settle(guards, guard, { side, units: some, asking }, examined)
  }
  if (isClean) for (const unit of asked) known.set(keyOf(side, unit), true)
}

/** What is a name or a choice says nothing by itself. */
function isName({ isFixed, place }: TextUnit): boolean {
  return isFixed && (place === 'tools' || place === 'settings' || place === 'tool_call')
}

function settle(guards: GuardsOfCall, guard: Guard, { side, units }: ExaminedTexts, { found, texts }: Examined): void {
  if (found.length === 0) return
  const findings = found.map((what) => ({ start: 0, end: 0, what, instead: '' }))
  // What it has found and cannot write otherwise goes nowhere.
  if (guard.config.mode === 'redact' && texts === undefined) throw guards.refuse(guard, side, findings)
  if (!guards.settle(guard, side, findings)) return
  for (const [index, unit] of units.entries()) {
    const text = texts?.[index] ?? unit.text
    // Thoughts are signed.
    if (text === unit.text || unit.place === 'thought') continue
    if (unit.isFixed) throw guards.refuse(guard, side, findings)
    unit.text = text
  }
}

/** In their order. One that is larger than a portion is asked about in pieces that overlap, and never written otherwise. */
function portions(units: readonly TextUnit[], most: number): readonly (readonly TextUnit[])[] {
  const all: TextUnit[][] = []
  let size = 0
  for (const piece of units.flatMap((unit) => piecesOf(unit, most))) {
    if (all.length === 0 || size + piece.text.length > most) {
      all.push([])
      size = 0
    }
    all.at(-1)?.push(piece)
    size += piece.text.length
  }
  return all
}

const overlap = 200

function piecesOf(unit: TextUnit, most: number): readonly TextUnit[] {
  if (unit.text.length <= most) return [unit]
  const pieces: TextUnit[] = []
  for (let from = 0; from < unit.text.length; from += most - overlap)
    pieces.push({ place: unit.place, isFixed: true, text: unit.text.slice(from, from + most) })
  return pieces
}

function passedBy(guard: Guard): BoundedMap<string, true> {
  let known = passed.get(guard)
  if (known === undefined) passed.set(guard, (known = new BoundedMap({ most: mostPassed })))
  return known
}

function keyOf(side: Side, { place, text }: TextUnit): string {
  return `${side} ${place} ${sha256(text)}`
}
