import type { turnSummarySchema } from '@turnward/contract/api/turns'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { z } from 'zod'
import { Time } from '../parts.tsx'
import { Table } from '../table.tsx'
import { durationText, labelText, moneyText } from '../words.ts'

type TurnSummary = z.output<typeof turnSummarySchema>

interface TurnTableProps {
  readonly caption: string
  readonly turns: readonly TurnSummary[]
  readonly empty: ReactNode
}

export function TurnTable({ caption, turns, empty }: TurnTableProps) {
  return (
    <Table
      caption={caption}
      columns={['Begun', 'For', 'Models', 'Tools', 'Refused', 'Label', 'Cost', 'Ended']}
      rows={turns.map((turn) => ({
        key: turn.turn,
        cells: [
          <Link key="to" to="/turns/$id" params={{ id: turn.turn }}>
            <Time at={turn.first} />
          </Link>,
          turn.actor === null ? turn.principal : `${turn.principal}, by ${turn.actor}`,
          turn.models.join(', '),
          turn.tools.join(', '),
          turn.refusals === 0 ? '' : <span className="bad">{turn.refusals}</span>,
          turn.label === null ? '' : labelText(turn.label),
          moneyText(turn.totals.cost, turn.totals.unpriced),
          turn.outcome === null
            ? 'still running, or unrecorded'
            : `${turn.outcome.replaceAll('_', ' ')}, ${durationText(turn.last - turn.first)}`,
        ],
      }))}
      empty={empty}
    />
  )
}
