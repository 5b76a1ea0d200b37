/** The console's frame: who is signed in, and the pages. */
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { createRootRoute, createRoute, createRouter, Link, Outlet, redirect, RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { ApprovalPage, ApprovalsPage } from './pages/approvals.tsx'
import { LimitsPage, UpstreamsPage } from './pages/health.tsx'
import { StopsPage } from './pages/stops.tsx'
import { Page, Refused, useMe } from './parts.tsx'
import './console.css'

const pages = [
  { to: '/approvals', name: 'Approvals' },
  { to: '/stops', name: 'Stops' },
  { to: '/upstreams', name: 'Upstreams' },
  { to: '/limits', name: 'Limits' },
] as const

function Frame() {
  const { data, error } = useMe()
  if (error !== null)
    return (
      <Page title="Turnward">
        <Refused error={error} />
      </Page>
    )
  if (data === undefined) return <p role="status">Reading who you are…</p>
  return (
    <>
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <header>
        <nav aria-label="Pages">
          {pages.map(({ to, name }) => (
            <Link key={to} to={to}>
              {name}
            </Link>
          ))}
        </nav>
        <p>
          {data.id} ({data.roles.length === 0 ? 'no role' : data.roles.join(', ')})
        </p>
      </header>
      <Outlet />
    </>
  )
}

function NotFound() {
  return (
    <Page title="No such page">
      <Link to="/approvals">To the approvals</Link>
    </Page>
  )
}

const root = createRootRoute({ component: Frame, notFoundComponent: NotFound })
const tree = root.addChildren([
  createRoute({
    getParentRoute: () => root,
    path: '/',
    beforeLoad: () => {
      throw redirect({ to: '/approvals' })
    },
  }),
  createRoute({ getParentRoute: () => root, path: '/approvals', component: ApprovalsPage }),
  createRoute({ getParentRoute: () => root, path: '/approvals/$id', component: ApprovalPage }),
  createRoute({ getParentRoute: () => root, path: '/stops', component: StopsPage }),
  createRoute({ getParentRoute: () => root, path: '/upstreams', component: UpstreamsPage }),
  createRoute({ getParentRoute: () => root, path: '/limits', component: LimitsPage }),
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
