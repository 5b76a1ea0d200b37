/** The document of the administration says what the lines say, and refers to nothing that is not there. */
import { expect, test } from 'vitest'
import { configOf, openFloors } from '../invariants/floors.fixture.ts'
import { apiRoutes } from './api-routes.ts'
import { configRoutes } from './routes/config.ts'
import { openApiDocument } from './document.ts'

test('has every line with what it needs, and every schema it refers to', async () => {
  await using floors = await openFloors({ config: configOf({}) })
  const { services } = floors
  const config = { attempt: async () => services.snapshot(), reload: async () => true, problem: undefined }
  const routes = apiRoutes(services, configRoutes(services, config))
  const document = openApiDocument(routes, 'turnward-80-session') as {
    openapi: string
    paths: Record<string, Record<string, { operationId: string; description: string; parameters: { name: string; in: string }[] }>>
    components: { schemas: object }
  }
  expect(document.openapi).toBe('3.1.0')
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
  )
  expect(operations).toHaveLength(routes.length)
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(routes.length)
  for (const { path, parameters } of operations)
    expect(parameters.filter((one) => one.in === 'path').map(({ name }) => `{${name}}`)).toEqual(path.match(/\{\w+\}/g) ?? [])
  const text = JSON.stringify(document)
  const referred = [...text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name)
  expect(referred.length).toBeGreaterThan(5)
  expect(referred.filter((name) => !Object.hasOwn(document.components.schemas, name ?? ''))).toEqual([])
  expect(text).not.toContain('$defs')
  // Of two schemas without a name one would stand in the place of the other.
  expect(text).not.toContain('__schema')
  expect(operations.find(({ operationId }) => operationId === 'post_api_stops')?.description).toContain('`operator`')
})
