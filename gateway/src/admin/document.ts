/** The administration API as an OpenAPI 3.1 document, written from its lines. */
import { apiErrorSchema } from '@turnward/contract/api/shared'
import { z } from 'zod'
import type { JsonObject } from '../core/json.ts'
import { apiRoute, type ApiRoute } from './api-route.ts'

/** `GET /api/openapi.json`: the document of these lines and of itself. `sessionCookie`: its name, which changes with `listen.public_url`. */
export function documentRoute(routes: readonly ApiRoute[], sessionCookie: () => string): ApiRoute {
  let written: { readonly cookie: string; readonly document: JsonObject } | undefined
  const own: ApiRoute = apiRoute({
    path: '/api/openapi.json',
    method: 'GET',
    needs: 'caller',
    tag: 'Document',
    summary: 'This document',
    answer: z.record(z.string(), z.unknown()),
    async run() {
      const cookie = sessionCookie()
      if (written?.cookie !== cookie) written = { cookie, document: openApiDocument([...routes, own], cookie) }
      return written.document
    },
  })
  return own
}

/** OpenAPI 3.1, whose schemas are JSON Schema 2020-12. */
export function openApiDocument(routes: readonly ApiRoute[], sessionCookie: string): JsonObject {
  const named = new Map<string, JsonObject>()
  const paths: Record<string, Record<string, JsonObject>> = {}
  for (const route of routes) {
    const path = route.path.replaceAll('...}', '}')
    ;(paths[path] ??= {})[route.method.toLowerCase()] = operationOf(route, named)
  }
  const error = schemaOf(apiErrorSchema, 'output', named)
  return {
    openapi: '3.1.0',
    info: { title: 'Turnward administration', version: '1', license: { name: 'MIT', identifier: 'MIT' } },
    security: [{ key: [] }, { session: [] }],
    paths,
    components: {
      securitySchemes: {
        key: { type: 'http', scheme: 'bearer', description: 'A virtual key or token with the scope `admin`.' },
        session: { type: 'apiKey', in: 'cookie', name: sessionCookie, description: 'Somebody who has signed in with a browser.' },
      },
      responses: { Error: { description: 'Why it was refused', content: { 'application/json': { schema: error } } } },
      schemas: Object.fromEntries(named),
    },
  }
}

function operationOf(route: ApiRoute, named: Map<string, JsonObject>): JsonObject {
  const { method, path, tag, summary, query, body, answer, needs, conditions = [] } = route
  const parameters = [...path.matchAll(/\{(\w+)/g)].map(([, name = '']): JsonObject => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', minLength: 1 },
  }))
  const asked = Object.entries(query?.shape ?? {}).map(([name, schema]): JsonObject => {
    const { description, ...rest } = schemaOf(schema, 'input', named)
    const isNeeded = !schema.safeParse(undefined).success
    return { name, in: 'query', required: isNeeded, schema: rest, ...(description === undefined ? {} : { description }) }
  })
  const content = 'media' in answer ? { [answer.media]: {} } : { 'application/json': { schema: schemaOf(answer, 'output', named) } }
  return {
    operationId: operationIdOf(method, path),
    tags: [tag],
    summary,
    description: `Needs ${typeof needs === 'string' ? needsInWords[needs] : `the role \`${needs.role}\``}.`,
    parameters: [
      ...parameters,
      ...asked,
      ...conditions.map((name): JsonObject => ({ name, in: 'header', required: false, schema: { type: 'string' } })),
    ],
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: schemaOf(body, 'input', named) } } } }),
    responses: { 200: { description: 'Done', content }, default: { $ref: '#/components/responses/Error' } },
  }
}

const needsInWords = {
  caller: 'somebody who is known',
  person: 'to be signed in, or a key or token with the scope `admin` that is no agent’s',
} as const

/** `post_api_approvals_id_approve` */
function operationIdOf(method: string, path: string): string {
  return `${method.toLowerCase()}${path.replaceAll(/[^\w]+/g, '_').replace(/_$/, '')}`
}

/** A schema that has a name stands under it in the document, once. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output', named: Map<string, JsonObject>): JsonObject {
  const { $schema: _version, $defs = {}, ...own } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  for (const [name, one] of Object.entries($defs)) named.set(name, referring(one))
  const { id, ...rest } = referring(own)
  if (typeof id !== 'string') return rest
  named.set(id, rest)
  return { $ref: `#/components/schemas/${id}` }
}

/** Definitions stand elsewhere than JSON Schema puts them. */
function referring(schema: object): JsonObject {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/')) as JsonObject
}
