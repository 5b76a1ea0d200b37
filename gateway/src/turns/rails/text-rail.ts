/** What text goes through on its way to people, after taint: invisible characters first, so that none hides an address. */
import { createInvisibleRail } from './invisible-text.ts'
import { createLinkRail } from './link-rail.ts'

export interface RailSettings {
  /** Hosts whose addresses stay; undefined when all do. */
  readonly isAllowed: ((host: string) => boolean) | undefined
  readonly removesInvisible: boolean
}

/** One text that comes in pieces. */
export interface TextRail {
  step(words: string): string
  finish(): string
  readonly isHolding: boolean
}

/** What was done to an answer, for its record. */
export interface Neutralised {
  links: number
  invisible: number
}

export function createTextRail({ isAllowed, removesInvisible }: RailSettings, noted: Neutralised): TextRail {
  const unseen = removesInvisible ? createInvisibleRail() : undefined
  const links = isAllowed === undefined ? undefined : createLinkRail(isAllowed)
  const known = { links: 0, invisible: 0 }
  const note = (): void => {
    const [now, hidden] = [links?.count ?? 0, unseen?.count ?? 0]
    noted.links += now - known.links
    noted.invisible += hidden - known.invisible
    known.links = now
    known.invisible = hidden
  }
  const after = (seen: string): string => (links === undefined ? seen : links.step(seen))
  return {
    step(words) {
      const said = after(unseen === undefined ? words : unseen.step(words))
      note()
      return said
    },
    finish() {
      const rest = unseen?.finish() ?? ''
      const said = (rest === '' ? '' : after(rest)) + (links?.finish() ?? '')
      note()
      return said
    },
    get isHolding() {
      return unseen?.isHolding === true || links?.isHolding === true
    },
  }
}
