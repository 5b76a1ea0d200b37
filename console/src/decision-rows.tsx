/** A record of the decision log as a row of a list, and what such lists are narrowed to. */
import type { DecisionRecord } from '@turnward/contract/decision'
import type { ReactNode } from 'react'
import type { FilterField } from './filters.tsx'
import { Time } from './parts.tsx'
import { statusOf } from './turns/steps.ts'

export const decisionFields: readonly FilterField[] = [
  { name: 'q', label: 'Text' },
  { name: 'principal', label: 'Person' },
  { name: 'agent', label: 'Agent' },
  { name: 'tool', label: 'Tool' },
  { name: 'model', label: 'Model' },
  {
    name: 'action',
    label: 'What was done',
    options: { refuse: 'refused', observe: 'would be refused', hold: 'held', answer: 'answered', release: 'released', hide: 'hidden' },
  },
  { name: 'turn', label: 'Turn' },
  { name: 'session', label: 'Session' },
  { name: 'from', label: 'From', type: 'datetime-local' },
  { name: 'to', label: 'To', type: 'datetime-local' },
]

export const decisionColumns = ['Time', 'What', 'Subject', 'For', 'Done', 'Why', 'Turn']

/** `turn`: the link to it. */
export function decisionCells(record: DecisionRecord, turn: ReactNode): readonly ReactNode[] {
  return [
    <Time key="time" at={record.time} />,
    `${record.kind.replaceAll('_', ' ')}${record.type === 'outcome' ? ' ended' : ''}`,
    record.subject,
    record.principal,
    record.type === 'outcome' ? (record.outcome ?? '').replaceAll('_', ' ') : statusOf(record),
    record.reason,
    turn,
  ]
}
