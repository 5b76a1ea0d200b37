/** What happened in a turn, with how long each step took; a step opens for why it was decided as it was. */
import type { TurnTree } from '@turnward/contract/api/turns'
import { durationText, labelText } from '../words.ts'
import { StepDetail } from './step-detail.tsx'
import { linesOf, spanOf, statusOf, type GainLine, type StepLine } from './steps.ts'

export function Waterfall({ turn }: { readonly turn: TurnTree }) {
  const lines = linesOf(turn)
  const ends = lines.map((line) => (line.kind === 'label' ? line.gain.time : line.step.time + (line.step.latencyMs ?? 0)))
  const started = turn.started ?? 0
  const ended = Math.max(turn.ended ?? started, ...ends)
  return (
    <ol className="waterfall">
      {lines.map((line, at) =>
        line.kind === 'label' ? (
          <Gain key={`label ${at}`} {...line} />
        ) : (
          <Step key={line.step.decision} line={line} started={started} ended={ended} />
        ),
      )}
    </ol>
  )
}

function Gain({ gain: { subject, before, after } }: GainLine) {
  return (
    <li className="gain">
      <strong>Label</strong> {labelText(before)} → {labelText(after)}, by a result of <code>{subject}</code>
    </li>
  )
}

interface StepProps {
  readonly line: StepLine
  readonly started: number
  readonly ended: number
}

function Step({ line: { kind, depth, step }, started, ended }: StepProps) {
  const { subject, calledAs, latencyMs, outcome, action } = step
  const target = 'upstream' in step && step.upstream !== null ? ` → ${step.upstream}` : ''
  const isBad =
    action === 'refuse' || action === 'observe' || (outcome !== undefined && outcome !== 'ok' && outcome !== 'asked' && outcome !== 'task')
  const { left, width } = spanOf(step, started, ended)
  return (
    <li className={`depth-${Math.min(depth, 3)}`}>
      <details>
        <summary data-row>
          <span className="what">
            {kind} <code>{subject}</code>
            {target}
            {calledAs === undefined ? '' : ` (called ${calledAs})`}
          </span>
          <span className={isBad ? 'bad' : undefined}>
            {statusOf(step)}
            {outcome === undefined ? '' : `, ${outcome.replaceAll('_', ' ')}`}
          </span>
          <span className="time">{latencyMs === undefined ? '' : durationText(latencyMs)}</span>
          <span className="track" aria-hidden="true">
            <span style={{ marginLeft: `${left}%`, width: `${width}%` }} className={isBad ? 'bar bad' : 'bar'} />
          </span>
        </summary>
        <StepDetail step={step} />
      </details>
    </li>
  )
}
