/** In a word: who describes a tool, and whether its definition is accepted. */
import type { shownToolSchema } from '@turnward/contract/api/tools'
import type { z } from 'zod'

type Tool = z.output<typeof shownToolSchema>

export const pinWords: Readonly<Record<Tool['pin'], string>> = {
  accepted: 'accepted',
  new: 'new: held',
  changed: 'changed: held',
  unreviewed: 'used without a review',
}

const shortWords: Readonly<Record<Tool['coverage'], string>> = { described: 'described', pack: 'by a pack', undescribed: 'undescribed' }

export function PinChip({ pin }: Pick<Tool, 'pin'>) {
  const look = pin === 'accepted' ? 'good' : pin === 'unreviewed' ? '' : 'bad'
  return <span className={`chip ${look}`}>{pinWords[pin]}</span>
}

export function CoverageChip({ coverage }: Pick<Tool, 'coverage'>) {
  return <span className={`chip ${coverage === 'undescribed' ? 'bad' : 'good'}`}>{shortWords[coverage]}</span>
}
