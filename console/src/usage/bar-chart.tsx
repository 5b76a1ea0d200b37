import type { Bar } from './measures.ts'

interface BarChartProps {
  readonly label: string
  readonly bars: readonly Bar[]
  readonly text: (amount: number) => string
  readonly step: 'hour' | 'day'
}

const [width, height] = [1000, 160]

/** Amounts over time. What it shows stands in the table below it as well. */
export function BarChart({ label, bars, text, step }: BarChartProps) {
  const most = Math.max(...bars.map(({ amount }) => amount), 0)
  const [first, last] = [bars[0], bars.at(-1)]
  if (most === 0 || first === undefined || last === undefined) return <p>{label}: nothing in this time.</p>
  const each = width / bars.length
  const moment = (start: number): string =>
    step === 'day' ? new Date(start).toLocaleDateString(undefined, { timeZone: 'UTC' }) : new Date(start).toLocaleString()
  return (
    <figure className="chart">
      <figcaption>
        {label}, at most {text(most)} in one {step}
      </figcaption>
      <svg
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${label} from ${moment(first.start)} to ${moment(last.start)}`}
      >
        {bars.map(({ start, amount }, at) => (
          <rect
            key={start}
            x={at * each}
            width={Math.max(1, each - 1)}
            y={height - (amount / most) * height}
            height={(amount / most) * height}
          >
            <title>{`${moment(start)}: ${text(amount)}`}</title>
          </rect>
        ))}
      </svg>
      <p className="ends">
        <span>{moment(first.start)}</span>
        <span>{moment(last.start)}</span>
      </p>
    </figure>
  )
}
