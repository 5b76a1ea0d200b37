/** The console's pages, and where they are. */
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { createRootRoute, createRoute, createRouter, Link, redirect, RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Frame } from './frame.tsx'
import { AuditPage, auditIn } from './pages/audit.tsx'
import { ApprovalPage, ApprovalsPage, statusIn } from './pages/approvals.tsx'
import { HistoryPage, RevisionPage, beforeIn } from './pages/configuration-history.tsx'
import { ObjectPage } from './pages/configuration-object.tsx'
import { ConfigurationPage, KindPage, nameIn } from './pages/configuration.tsx'
import { ClientPage, ClientsPage, wantedIn } from './pages/connect.tsx'
import { CredentialsPage } from './pages/credentials.tsx'
import { DecisionsPage, decisionsIn } from './pages/decisions.tsx'
import { LimitsPage } from './pages/limits.tsx'
import { UpstreamsPage } from './pages/upstreams.tsx'
import { HealthPage } from './pages/health.tsx'
import { KeysPage, keysIn } from './pages/keys.tsx'
import { LivePage, liveIn } from './pages/live.tsx'
import { afterIn, PeoplePage, PersonPage } from './pages/people.tsx'
import { PolicyPage, policyIn } from './pages/policy.tsx'
import { ServerPage, ServersPage } from './pages/servers.tsx'
import { SimulatePage } from './pages/simulate.tsx'
import { StartPage } from './pages/start.tsx'
import { StopsPage } from './pages/stops.tsx'
import { ToolPage } from './pages/tool.tsx'
import { ToolsPage, toolsIn } from './pages/tools.tsx'
import { TurnPage } from './pages/turn.tsx'
import { SessionPage, SessionsPage, TurnsPage, turnsIn } from './pages/turns.tsx'
import { UsagePage, usageIn } from './pages/usage.tsx'
import { Page } from './parts.tsx'
import { simulationIn } from './policy/simulation-in.ts'
import './console.css'

function NotFound() {
  return (
    <Page title="No such page">
      <Link to="/start">To the start</Link>
    </Page>
  )
}

const root = createRootRoute({ component: Frame, notFoundComponent: NotFound })
const tree = root.addChildren([
  createRoute({
    getParentRoute: () => root,
    path: '/',
    beforeLoad: () => {
      throw redirect({ to: '/start' })
    },
  }),
  createRoute({ getParentRoute: () => root, path: '/decisions', component: DecisionsPage, validateSearch: decisionsIn }),
  createRoute({ getParentRoute: () => root, path: '/audit', component: AuditPage, validateSearch: auditIn }),
  createRoute({ getParentRoute: () => root, path: '/health', component: HealthPage }),
  createRoute({ getParentRoute: () => root, path: '/live', component: LivePage, validateSearch: liveIn }),
  createRoute({ getParentRoute: () => root, path: '/turns', component: TurnsPage, validateSearch: turnsIn }),
  createRoute({ getParentRoute: () => root, path: '/sessions', component: SessionsPage, validateSearch: turnsIn }),
  createRoute({ getParentRoute: () => root, path: '/sessions/$id', component: SessionPage }),
  createRoute({ getParentRoute: () => root, path: '/usage', component: UsagePage, validateSearch: usageIn }),
  createRoute({ getParentRoute: () => root, path: '/turns/$id', component: TurnPage }),
  createRoute({ getParentRoute: () => root, path: '/start', component: StartPage }),
  createRoute({ getParentRoute: () => root, path: '/policy', component: PolicyPage, validateSearch: policyIn }),
  createRoute({ getParentRoute: () => root, path: '/policy/simulate', component: SimulatePage, validateSearch: simulationIn }),
  createRoute({ getParentRoute: () => root, path: '/approvals', component: ApprovalsPage, validateSearch: statusIn }),
  createRoute({ getParentRoute: () => root, path: '/approvals/$id', component: ApprovalPage }),
  createRoute({ getParentRoute: () => root, path: '/stops', component: StopsPage }),
  createRoute({ getParentRoute: () => root, path: '/servers', component: ServersPage }),
  createRoute({ getParentRoute: () => root, path: '/servers/$name', component: ServerPage }),
  createRoute({ getParentRoute: () => root, path: '/tools', component: ToolsPage, validateSearch: toolsIn }),
  createRoute({ getParentRoute: () => root, path: '/tools/$server/$tool', component: ToolPage }),
  createRoute({ getParentRoute: () => root, path: '/upstreams', component: UpstreamsPage }),
  createRoute({ getParentRoute: () => root, path: '/limits', component: LimitsPage }),
  createRoute({ getParentRoute: () => root, path: '/connect', component: ClientsPage }),
  createRoute({ getParentRoute: () => root, path: '/connect/$client', component: ClientPage, validateSearch: wantedIn }),
  createRoute({ getParentRoute: () => root, path: '/credentials', component: CredentialsPage }),
  createRoute({ getParentRoute: () => root, path: '/keys', component: KeysPage, validateSearch: keysIn }),
  createRoute({ getParentRoute: () => root, path: '/people', component: PeoplePage, validateSearch: afterIn }),
  createRoute({ getParentRoute: () => root, path: '/people/$id', component: PersonPage }),
  createRoute({ getParentRoute: () => root, path: '/configuration', component: ConfigurationPage }),
  createRoute({ getParentRoute: () => root, path: '/configuration/history', component: HistoryPage, validateSearch: beforeIn }),
  createRoute({ getParentRoute: () => root, path: '/configuration/history/$number', component: RevisionPage }),
  createRoute({ getParentRoute: () => root, path: '/configuration/$kind', component: KindPage, validateSearch: nameIn }),
  createRoute({ getParentRoute: () => root, path: '/configuration/$kind/$name', component: ObjectPage }),
])
const router = createRouter({ routeTree: tree, basepath: '/console' })

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}

const client = new QueryClient({ defaultOptions: { queries: { retry: false, refetchOnWindowFocus: false, staleTime: 10_000 } } })
const place = document.querySelector('#root')
if (place !== null)
  createRoot(place).render(
    <StrictMode>
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </StrictMode>,
  )
