/** A thousand slow clients at once. */
import { afterAll, beforeAll, test } from 'vitest'
import { askSlowly, readNothing, slowRequests, startPatientGateway, type PatientGateway } from './slow-client-suite.ts'

let patient: PatientGateway
beforeAll(async () => {
  patient = await startPatientGateway(1024)
})
afterAll(() => patient?.[Symbol.asyncDispose]())

test.each(Object.entries(slowRequests))('1000 clients that %s', async (_way, slowness) => {
  await askSlowly(patient, slowness, 1000)
})

test('1000 clients that read nothing', async () => {
  await readNothing(patient, 1000, 400)
})
