/** What there is to do until agents work through this gateway, in order, with what is done ticked. */
import type { kindsSchema } from '@turnward/contract/api/config'
import type { decisionsSchema } from '@turnward/contract/api/decisions'
import { Link } from '@tanstack/react-router'
import type { z } from 'zod'
import { read } from '../api.ts'
import { Asked, Page, useMe } from '../parts.tsx'

interface Found {
  /** Objects of the configuration, by kind. */
  readonly counts: ReadonlyMap<string, number>
  /** Whether a model was called, by the newest records. */
  readonly wasCalled: boolean
}

interface Step {
  readonly name: string
  readonly about: string
  readonly isDone: (found: Found) => boolean
  /** The kind of objects it is about; without one it is about clients. */
  readonly kind?: string
}

const has = (kind: string): Pick<Step, 'kind' | 'isDone'> => ({ kind, isDone: ({ counts }) => (counts.get(kind) ?? 0) > 0 })

const steps: readonly Step[] = [
  { name: 'Upstreams', about: 'where models are: a vendor, or an address that speaks like one', ...has('upstreams') },
  { name: 'Routes', about: 'which upstreams serve a model that clients ask for', ...has('routes') },
  { name: 'Grants', about: 'who may use which models and tools; nothing is allowed that no grant names', ...has('grants') },
  { name: 'MCP servers', about: 'the tools that agents may call', ...has('servers') },
  { name: 'A first client', about: 'lead a coding agent or a program here', isDone: ({ wasCalled }) => wasCalled },
  { name: 'Contracts', about: 'what tools read and do, so that what is untrusted cannot act', ...has('contracts') },
]

export function StartPage() {
  const { data: me } = useMe()
  if (me?.roles.includes('viewer') !== true)
    return (
      <Page title="What to do next">
        <p>
          You have no role here: you see what your own agents did. <Link to="/connect">Connect a client</Link>
        </p>
      </Page>
    )
  return (
    <Page title="What to do next">
      <Asked options={{ queryKey: ['start'], queryFn: found }}>{(all) => <Steps found={all} />}</Asked>
    </Page>
  )
}

function Steps({ found: all }: { readonly found: Found }) {
  const next = steps.find((step) => !step.isDone(all))
  return (
    <>
      <p>{next === undefined ? 'Everything is set up. Agents can work.' : `Next: ${next.name}, ${next.about}.`}</p>
      <ol className="steps">
        {steps.map((step) => {
          const { name, about, isDone, kind } = step
          return (
            <li key={name} data-row aria-current={step === next ? 'step' : undefined}>
              <span className={isDone(all) ? 'good' : undefined}>{isDone(all) ? '✓ done' : 'to do'}</span>
              {kind === undefined ? (
                <Link to="/connect">{name}</Link>
              ) : (
                <Link to="/configuration/$kind" params={{ kind }}>
                  {name}
                </Link>
              )}
              <span>{about}</span>
            </li>
          )
        })}
      </ol>
    </>
  )
}

async function found(): Promise<Found> {
  const [{ kinds }, { decisions }] = await Promise.all([
    read<z.output<typeof kindsSchema>>('/api/config'),
    read<z.output<typeof decisionsSchema>>('/api/decisions?kind=model_call&limit=1'),
  ])
  return { counts: new Map(kinds.map(({ kind, objects }) => [kind, objects])), wasCalled: decisions.length > 0 }
}
