/** `/api/policy/replay`: what a draft would have decided otherwise, for who administers. Reads the log; changes nothing. */
import { dirname, join, resolve } from 'node:path'
import { replaySchema, replayRequestSchema } from '@turnward/contract/api/policy'
import { apiRoute, type ApiRoute } from '../admin/api-route.ts'
import { attemptLoad } from '../config/load.ts'
import { plainValue } from '../config/locate.ts'
import { managedText, runningObjects } from '../config/managed/managed-objects.ts'
import { diskWith, managedSource } from '../config/managed/managed-source.ts'
import { ConfigError, ProblemList } from '../config/problems.ts'
import { parseSource } from '../config/read-file.ts'
import { realDisk } from '../config/disk.ts'
import type { Snapshot } from '../config/snapshot.ts'
import { TurnwardError } from '../core/error.ts'
import { isObject } from '../core/json.ts'
import type { Services } from '../turns/services.ts'
import { openingSettingsOf, readingPlaceOf } from './places.ts'
import { sinceOf } from './policy/reading-use.ts'
import { replayLog } from './policy/replaying/replaying-log.ts'

/** The newest records of a span that are read while others are served; the verb reads more. */
const mostRecords = 5000
/** A draft that is sent is about the policy: it names no server, no secret and no file besides those of the configuration. */
const draftSections: ReadonlySet<string> = new Set([
  'version',
  'include',
  'policy',
  'packs',
  'contracts',
  'rules',
  'grants',
  'values',
  'groups',
  'principals',
  'approvals',
])

export function policyRoutes({ store, snapshot }: Pick<Services, 'store' | 'snapshot'>): readonly ApiRoute[] {
  let isBusy = false
  return [
    apiRoute({
      path: '/api/policy/replay',
      method: 'POST',
      needs: { role: 'admin' },
      tag: 'Policy',
      summary: 'What a draft would have decided otherwise, by the newest records of a span',
      body: replayRequestSchema,
      mostBytes: 2 * 1024 * 1024,
      answer: replaySchema,
      async run({ body: { since, draft } }) {
        const now = snapshot()
        if (isBusy) throw new TurnwardError('policy.busy', { subject: 'replay' })
        isBusy = true
        try {
          const place = readingPlaceOf(openingSettingsOf(now))
          const query = { since: sinceOf(since) ?? 0, most: mostRecords }
          return await replayLog({ place, listings: store.listings }, now, await draftOf(now, draft), query)
        } finally {
          isBusy = false
        }
      },
    }),
  ]
}

/** The draft as if it lay beside the configuration. Throws `request.invalid` with what is wrong with it. */
async function draftOf(running: Snapshot, text: string): Promise<Snapshot> {
  const { files, managed } = running
  const [main] = files
  if (main === undefined) throw invalid('draft', 'this gateway runs on no file')
  const path = join(dirname(main), 'draft (sent).yaml')
  const problems = new ProblemList()
  const root = parseSource(path, text, problems)
  const sent = root === undefined ? undefined : plainValue(root)
  if (!isObject(sent)) throw invalid('draft', problems.sorted()[0]?.message ?? 'it is no configuration')
  if (text.includes('${')) throw invalid('draft', 'it refers to no variable and no file: `${` must not be in it')
  const section = Object.keys(sent).find((name) => !draftSections.has(name))
  if (section !== undefined) throw invalid(section.slice(0, 64), `a draft that is sent has ${[...draftSections].join(', ')}`)
  const included = Array.isArray(sent['include']) ? sent['include'] : []
  if (included.some((file) => typeof file !== 'string' || !files.includes(resolve(dirname(main), file))))
    throw invalid('include', 'a draft that is sent includes files of the configuration only')
  const disk = { ...realDisk, text: async (file: string, limit: number) => (file === path ? text : realDisk.text(file, limit)) }
  // It replaces what it declares, of the file and of what was made over the API; the rest of that stays.
  const objects = managedText({ revision: managed.revision, leftOut: [], objects: runningObjects(running) })
  const { outcome } = await attemptLoad(path, process.env, [managedSource], diskWith(disk, objects), true)
  if (outcome instanceof ConfigError)
    throw invalid(
      'draft',
      outcome.problems
        .map(({ line, message }) => `line ${line}: ${message}`)
        .slice(0, 5)
        .join('; '),
    )
  return outcome
}

function invalid(subject: string, why: string): TurnwardError {
  return new TurnwardError('request.invalid', { subject, why })
}
