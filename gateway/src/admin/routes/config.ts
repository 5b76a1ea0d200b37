/** Objects of the configuration as resources: who may look sees all of them, administrators change those that are managed here. */
import type { IncomingMessage } from 'node:http'
import {
  configChangeQuerySchema,
  configCheckSchema,
  configDiffSchema,
  configObjectSchema,
  configObjectsQuerySchema,
  configObjectsSchema,
  configOutcomeSchema,
  configRevisionSchema,
  configRevisionsQuerySchema,
  configRevisionsSchema,
  exportedConfigSchema,
  kindsSchema,
  managedDocumentSchema,
  objectValueSchema,
} from '@turnward/contract/api/config'
import type { z } from 'zod'
import { objectKind, objectKinds, type ObjectValue } from '../../config/managed/kinds.ts'
import { changesBetween, mostManagedBytes, readManagedObjects, unknownKind, type ObjectName } from '../../config/managed/managed-objects.ts'
import { TurnwardError } from '../../core/error.ts'
import type { Services } from '../../turns/services.ts'
import type { Administrator } from '../administrators.ts'
import { apiRoute, type ApiRoute } from '../api-route.ts'
import { createConfiguration, type Change, type ChangeableConfig, type Outcome } from '../configuration/configuration.ts'
import { revisionTag } from '../configuration/preconditions.ts'
import { shownChanges, shownObjectOf, shownObjects } from '../configuration/showing-objects.ts'

/** The configuration, as lines of the API need it. */
export interface ApiConfig extends ChangeableConfig {
  /** What is wrong with what was read last, while an older one runs. */
  readonly problem: string | undefined
}

type ConfigServices = Pick<Services, 'store' | 'log' | 'snapshot' | 'clock'>

/** What JSON takes more than the objects themselves. */
const mostBytes = 2 * mostManagedBytes

export function configRoutes({ store, log, snapshot, clock }: ConfigServices, config: ApiConfig): readonly ApiRoute[] {
  const configuration = createConfiguration({ store, log, config, snapshot, clock })
  const tag = 'Configuration'
  const looking = { needs: { role: 'viewer' }, tag } as const
  const changing = { needs: { role: 'admin' }, tag } as const
  const conditional = { ...changing, conditions: ['If-Match', 'If-None-Match'] }
  const answered = async (outcome: Outcome, name?: ObjectName): Promise<z.input<typeof configOutcomeSchema>> => {
    const { objects } = await configuration.head()
    const isThere = name !== undefined && outcome.problems.length === 0 && Object.hasOwn(objects[name.kind] ?? {}, name.name)
    return {
      revision: outcome.revision,
      running: snapshot().managed.revision >= outcome.revision,
      applied: outcome.applied,
      changes: shownChanges(outcome.changes) as z.input<typeof configOutcomeSchema>['changes'],
      problems: [...outcome.problems],
      ...(isThere ? { object: shownObjectOf(name, snapshot(), objects) } : {}),
    }
  }
  return [
    apiRoute({
      path: '/api/config',
      method: 'GET',
      ...looking,
      summary: 'The kinds of objects there are, and which configuration runs',
      answer: kindsSchema,
      async run() {
        const { revision, objects } = await configuration.head()
        const { objects: running, managed, revision: fingerprint } = snapshot()
        const { problem } = config
        return {
          kinds: objectKinds.map(({ kind, about }) => {
            const count = Object.keys(objects[kind] ?? {}).length
            const ofFile = [...(running.get(kind)?.values() ?? [])].filter(({ origin }) => origin.source !== 'console').length
            return { kind, about, objects: ofFile + count, managed: count }
          }),
          revision,
          running: {
            configuration: fingerprint,
            revision: managed.revision,
            left_out: [...managed.leftOut],
            holds_calls: managed.holdsCalls,
            ...(problem === undefined ? {} : { problem: withoutLines(problem) }),
          },
        }
      },
    }),
    apiRoute({
      path: '/api/config/export',
      method: 'GET',
      ...looking,
      summary: 'All objects that are managed here, as `apply` takes them',
      answer: exportedConfigSchema,
      async run({ response }) {
        const { revision, objects } = await configuration.head()
        response.setHeader('etag', revisionTag(revision))
        return { revision, objects: objects as Record<string, Record<string, ObjectValue>> }
      },
    }),
    apiRoute({
      path: '/api/config/check',
      method: 'POST',
      ...changing,
      summary: 'What is wrong with a document of objects, together with the configuration file',
      body: managedDocumentSchema,
      mostBytes,
      answer: configCheckSchema,
      async run({ body }) {
        const problems = await configuration.check(readManagedObjects(body.objects))
        return { compiles: problems.length === 0, problems }
      },
    }),
    apiRoute({
      path: '/api/config/diff',
      method: 'POST',
      ...looking,
      summary: 'What a document of objects would change',
      body: managedDocumentSchema,
      mostBytes,
      answer: configDiffSchema,
      async run({ body }) {
        const { revision, objects } = await configuration.head()
        const changes = shownChanges(changesBetween(objects, readManagedObjects(body.objects)))
        return { revision, changes: changes as z.input<typeof configDiffSchema>['changes'] }
      },
    }),
    apiRoute({
      path: '/api/config/apply',
      method: 'POST',
      ...conditional,
      summary: 'Makes a document of objects what is managed here: all of it, or nothing',
      query: configChangeQuerySchema,
      body: managedDocumentSchema,
      mostBytes,
      answer: configOutcomeSchema,
      async run({ administrator, query, body: { revision, objects }, request }) {
        return answered(await configuration.apply(readManagedObjects(objects), revision, changeOf(administrator, query, request)))
      },
    }),
    apiRoute({
      path: '/api/config/revisions',
      method: 'GET',
      ...looking,
      summary: 'Who changed what, when and why, newest first',
      query: configRevisionsQuerySchema,
      answer: configRevisionsSchema,
      async run({ query: { before, limit } }) {
        const revisions = await configuration.revisions(before, limit)
        const next = revisions.length < limit ? undefined : revisions.at(-1)?.revision
        return { revisions, ...(next === undefined || next === 1 ? {} : { next }) }
      },
    }),
    apiRoute({
      path: '/api/config/revisions/{number}',
      method: 'GET',
      ...looking,
      summary: 'One revision: all its objects, and what it changed',
      answer: configRevisionSchema,
      async run({ parameters: { number = '' } }) {
        const { before, objects, ...facts } = await configuration.revision(numberOf(number))
        const changes = before && (shownChanges(changesBetween(before, objects)) as z.input<typeof configDiffSchema>['changes'])
        return { ...facts, objects: objects as Record<string, Record<string, ObjectValue>>, ...(changes === undefined ? {} : { changes }) }
      },
    }),
    apiRoute({
      path: '/api/config/revisions/{number}/rollback',
      method: 'POST',
      ...conditional,
      summary: 'Goes back to a revision, as a new one; 0 takes away all that is managed here',
      query: configChangeQuerySchema,
      answer: configOutcomeSchema,
      async run({ administrator, query, parameters: { number = '' }, request }) {
        const to = number === '0' ? 0 : numberOf(number)
        return answered(await configuration.rollback(to, changeOf(administrator, query, request)))
      },
    }),
    apiRoute({
      path: '/api/config/{kind}',
      method: 'GET',
      ...looking,
      summary: 'Objects of a kind, by name: those of the file and those that are managed here',
      query: configObjectsQuerySchema,
      answer: configObjectsSchema,
      async run({ parameters: { kind = '' }, query: { after, limit, managed } }) {
        const { objects } = await configuration.head()
        const all = shownObjects(kind, snapshot(), objects).filter(
          (one) => (managed === undefined || one.managed === managed) && (after === undefined || one.name > after),
        )
        const page = all.slice(0, limit)
        return { objects: page, ...(all.length > limit ? { next: page.at(-1)?.name } : {}) }
      },
    }),
    apiRoute({
      path: '/api/config/{kind}/{name}',
      method: 'GET',
      ...looking,
      summary: 'One object, with its `ETag`',
      answer: configObjectSchema,
      async run({ parameters, response }) {
        const object = shownObjectOf(nameOf(parameters), snapshot(), (await configuration.head()).objects)
        response.setHeader('etag', object.etag)
        return object
      },
    }),
    apiRoute({
      path: '/api/config/{kind}/{name}',
      method: 'PUT',
      ...conditional,
      summary: 'Makes an object, or replaces the one that `If-Match` names',
      query: configChangeQuerySchema,
      body: objectValueSchema,
      mostBytes,
      answer: configOutcomeSchema,
      async run({ administrator, query, body, parameters, request, response }) {
        const name = nameOf(parameters)
        const outcome = await configuration.change(name, body as ObjectValue, changeOf(administrator, query, request))
        const told = await answered(outcome, name)
        if (told.object !== undefined) response.setHeader('etag', told.object.etag)
        return told
      },
    }),
    apiRoute({
      path: '/api/config/{kind}/{name}',
      method: 'DELETE',
      ...conditional,
      summary: 'Takes an object away that is managed here',
      query: configChangeQuerySchema,
      answer: configOutcomeSchema,
      async run({ administrator, query, parameters, request }) {
        return answered(await configuration.change(nameOf(parameters), undefined, changeOf(administrator, query, request)))
      },
    }),
  ]
}

function changeOf(
  { id }: Administrator,
  { dry_run: trial, reason }: z.output<typeof configChangeQuerySchema>,
  { headers }: IncomingMessage,
): Change {
  return { by: id, reason, isTrial: trial === 'true', ifMatch: headers['if-match'], ifNoneMatch: headers['if-none-match'] }
}

function nameOf({ kind = '', name = '' }: Readonly<Record<string, string>>): ObjectName {
  if (objectKind(kind) === undefined) throw unknownKind(kind)
  return { kind, name }
}

/** Whoever may look is not shown lines of the file. */
export function withoutLines(problem: string): string {
  return problem
    .split('\n')
    .filter((line) => !/^\s/.test(line))
    .join('\n')
}

function numberOf(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new TurnwardError('config.revision_not_found', { subject: text.slice(0, 32) })
}
