/** A thousand slow clients at once. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { askSlowly, readNothing, slowRequests, startPatientGateway, type PatientGateway } from './slow-client-suite.ts'

let patient: PatientGateway
beforeAll(async () => {
  patient = await startPatientGateway(1024)
})
afterAll(() => patient?.[Symbol.asyncDispose]())

test.each(Object.entries(slowRequests))('1000 clients that %s', async (way, slowness) => {
  console.log(`1000 clients that ${way} were ended after ${Math.round(await askSlowly(patient, slowness, 1000))} ms`)
})

test('1000 clients that read nothing', async () => {
  const grown = await readNothing(patient, 1000)
  console.log(`1000 clients that read nothing: the gateway grew by ${Math.round(grown)} MB`)
  expect(grown).toBeLessThan(400)
})
