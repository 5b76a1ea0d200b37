import { expect, test } from 'vitest'
import type { McpServer } from '../../config/snapshot.ts'
import { appsExtension, tasksExtension } from '../../tools/extensions.ts'
import { offersWithSampling } from './answering-sampling.ts'

const serverWith = (sampling: unknown) => ({ name: 's', config: { sampling } }) as unknown as McpServer
const answered = serverWith({ model: 'm', max_tokens: 1, max_calls: 1 })

test('a server is told of what its client offers, and of a model where the gateway has one for it', () => {
  const offers = { elicitation: { form: {} }, sampling: { tools: {} } }
  expect(offersWithSampling(offers, serverWith(undefined))).toBe(offers)
  expect(offersWithSampling(undefined, undefined)).toBeUndefined()
  expect(offersWithSampling(undefined, answered)).toEqual({ sampling: {} })
  expect(offersWithSampling(offers, answered)).toEqual({ elicitation: { form: {} }, sampling: {} })
})

test('of calls that end later it is not told, of everything else it is', () => {
  expect(offersWithSampling({ extensions: { [tasksExtension]: {}, [appsExtension]: {} } }, answered)).toEqual({
    extensions: { [appsExtension]: {} },
    sampling: {},
  })
  expect(offersWithSampling({ extensions: { [tasksExtension]: {} } }, answered)).toEqual({ sampling: {} })
})
