/** How the gateway is: what it stands on, and what to do about what troubles it. */
import type { healthSchema } from '@turnward/contract/api/health'
import type { z } from 'zod'
import { read } from '../api.ts'
import { Asked, Page, Time } from '../parts.tsx'
import { Snippet } from '../snippet.tsx'
import { Table } from '../table.tsx'
import { countText } from '../words.ts'

type Health = z.output<typeof healthSchema>

const health = { queryKey: ['health'], queryFn: () => read<Health>('/api/health') }

const levels = { ok: 'well', warning: 'look at it', problem: 'does not work' } as const
/** What does not work stands first. */
const order: readonly Health['checks'][number]['level'][] = ['problem', 'warning', 'ok']

export function HealthPage() {
  return (
    <Page title="Health">
      <Asked options={health}>
        {({ ready, version, revision, checks, processes }) => (
          <>
            <p role="status">
              <strong>{verdictOf(ready, checks)}</strong>
            </p>
            <p>
              Turnward {version}, on configuration <code>{revision}</code>.
            </p>
            <Table
              caption="What the process that answered knows"
              columns={['What', 'How it is', 'In words', 'What to do']}
              rows={order
                .flatMap((level) => checks.filter((one) => one.level === level))
                .map(({ check, level, detail, fix }) => ({
                  key: check,
                  cells: [
                    <span key="check" className="whole-words">
                      {check}
                    </span>,
                    <span key="level" className={`level ${level}`}>
                      {levels[level]}
                    </span>,
                    <WithCode key="detail" text={detail} />,
                    <WithCode key="fix" text={fix ?? ''} />,
                  ],
                }))}
              empty={<p>Nothing was looked at. Read it again with Refresh.</p>}
            />
            {processes.length === 0 ? null : (
              <Table
                caption="Processes that take part"
                columns={['Replica', 'Process', 'Version', 'Configuration', 'Requests now', 'Since']}
                rows={processes.map(({ replica, worker, version: its, revision: on, running, started }) => ({
                  key: `${replica} ${worker} ${started}`,
                  cells: [replica, worker, its, on, running, <Time key="since" at={started} />],
                }))}
                empty={null}
              />
            )}
            <p>The command line looks at what is not asked here: the network, sandboxes, clocks, roles of the database.</p>
            <Snippet name="Command that looks at everything" text="turnward doctor" />
          </>
        )}
      </Asked>
    </Page>
  )
}

function verdictOf(isReady: boolean, checks: Health['checks']): string {
  const count = (level: string): number => checks.filter((one) => one.level === level).length
  if (!isReady) return 'Not ready: no governed call goes on.'
  if (count('problem') > 0) return `Ready, but ${countText(count('problem'), 'thing')} ${count('problem') === 1 ? 'does' : 'do'} not work.`
  return count('warning') > 0 ? `Ready. ${countText(count('warning'), 'thing')} to look at.` : 'Ready, and all is well.'
}

/** What stands between backticks is to be typed as it is. */
function WithCode({ text }: { readonly text: string }) {
  return text.split('`').map((part, at) => (at % 2 === 0 ? part : <code key={part}>{part}</code>))
}
