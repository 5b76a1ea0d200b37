/** Trying the policy: one call that is not made, recorded turns decided again, a draft on what is on record. Nothing that runs is touched until a draft is kept. */
import { Link, useSearch } from '@tanstack/react-router'
import { Page } from '../parts.tsx'
import { OneCall } from '../policy/one-call.tsx'
import { TryingDraft } from '../policy/trying-draft.tsx'

const tabs = { call: 'One call', turns: 'Recorded turns', draft: 'A draft' } as const
type Tab = keyof typeof tabs

export function SimulatePage() {
  const wanted = useSearch({ from: '/policy/simulate' })
  const tab: Tab = wanted['tab'] === 'turns' || wanted['tab'] === 'draft' ? wanted['tab'] : 'call'
  return (
    <Page title="Simulate">
      <p>
        <Link to="/policy">The policy that runs</Link>
      </p>
      <nav aria-label="What is tried" className="tabs">
        <ul>
          {(Object.keys(tabs) as Tab[]).map((one) => (
            <li key={one}>
              <Link to="/policy/simulate" search={{ ...wanted, tab: one }} {...(one === tab ? { 'aria-current': 'page' as const } : {})}>
                {tabs[one]}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      {tab === 'call' ? <OneCall wanted={wanted} /> : <TryingDraft key={tab} over={tab === 'turns' ? 'turns' : 'span'} wanted={wanted} />}
    </Page>
  )
}
