/** Where directories tell of people and groups: SCIM 2.0. */
import { publicUrl } from '../config/public-url.ts'
import { scimPath } from '../identity/scim/scim-path.ts'
import { guardHostName } from '../tools/endpoint/host-guard.ts'
import type { Services } from '../turns/services.ts'
import type { Entrance } from './entrance-table.ts'

/** The lines of the table for directories. */
export function directoryEntrances({ store, snapshot, clock, telemetry }: Services): readonly Entrance[] {
  const options = { store, snapshot, clock, logger: telemetry.logger, publicUrl }
  return [
    {
      path: `${scimPath}/{rest...}`,
      methods: 'own',
      needs: 'scim',
      async handle(request, response, rest) {
        guardHostName(request.headers, snapshot().settings.listen)
        const { answerScim } = await import('../identity/scim/answering-scim.ts')
        return answerScim(options, request, response, rest)
      },
    },
  ]
}
