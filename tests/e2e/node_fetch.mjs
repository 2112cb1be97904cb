// Lets a snippet run as it stands: `node-fetch` is Node's own fetch, and the last answer is reported on standard error.
import { register } from 'node:module'

const own = globalThis.fetch
globalThis.fetch = async (...request) => {
  const answer = await own(...request)
  console.error(JSON.stringify({ status: answer.status, body: await answer.clone().json() }))
  return answer
}

const shim = 'data:text/javascript,export default globalThis.fetch'
const hooks = `export const resolve = (name, context, next) =>
  name === 'node-fetch' ? { url: ${JSON.stringify(shim)}, shortCircuit: true } : next(name, context)`
register('data:text/javascript,' + encodeURIComponent(hooks))
