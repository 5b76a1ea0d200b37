/** Every line of the administration API that needs nothing but the services. A new one is a file in `routes/` and a line here. */
import { publicUrl } from '../config/public-url.ts'
import { Cookies } from '../identity/browser/cookies.ts'
import { sessionCookie } from '../identity/browser/sessions.ts'
import type { Services } from '../turns/services.ts'
import type { ApiRoute } from './api-route.ts'
import { documentRoute } from './document.ts'
import { approvalRoutes } from './routes/approvals.ts'
import { auditRoutes } from './routes/audit.ts'
import { connectRoutes } from './routes/connect.ts'
import { handleRoutes } from './routes/handles.ts'
import { keyRoutes } from './routes/keys.ts'
import { liveRoutes } from './routes/live.ts'
import { meRoutes } from './routes/me.ts'
import { peopleRoutes } from './routes/people.ts'
import { stopRoutes } from './routes/stops.ts'
import { summaryRoutes } from './routes/summaries.ts'
import { trafficRoutes } from './routes/traffic.ts'
import { turnRoutes } from './routes/turns.ts'
import { usageRoutes } from './routes/usage.ts'

/** `more`: lines of whoever knows more than the services; they stand in the document as well. */
export function apiRoutes(services: Services, more: readonly ApiRoute[] = []): readonly ApiRoute[] {
  const routes = [
    ...meRoutes(services),
    ...connectRoutes(services),
    ...handleRoutes(services),
    ...approvalRoutes(services),
    ...peopleRoutes(services),
    ...keyRoutes(services),
    ...trafficRoutes(services),
    ...stopRoutes(services),
    ...turnRoutes(services),
    ...auditRoutes(services),
    ...liveRoutes(services),
    ...summaryRoutes(services),
    ...usageRoutes(services),
    ...more,
  ]
  return [...routes, documentRoute(routes, () => new Cookies(publicUrl(services.snapshot())).fullName(sessionCookie))]
}
