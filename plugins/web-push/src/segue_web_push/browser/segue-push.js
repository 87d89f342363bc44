// Segue's opt-in for web push. The browser is asked only after a click of the visitor.
//
//   const push = SeguePush({
//     segue: 'https://t.example.com', writeKey: 'KEY', publicKey: 'B…',
//     user: () => ({ userId: 'ann' }),            // or { anonymousId: '…' }
//   })
//   push.offer({ text: 'Shall we tell you when your parcel is on its way?', yes: 'Yes, please', no: 'Not now' })
'use strict'

window.SeguePush = function SeguePush({ segue, writeKey, publicKey, user, worker = '/segue-push-worker.js' }) {
  const TOLD = 'segue-push-told', LATER = 'segue-push-later'
  const possible = 'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window

  const bytes = (text) => {
    const plain = atob(text.replace(/-/g, '+').replace(/_/g, '/') + '='.repeat((4 - text.length % 4) % 4))
    return Uint8Array.from(plain, (one) => one.charCodeAt(0))
  }

  const call = async (type, more) => {
    const who = user()
    const body = { type, messageId: `push-${crypto.randomUUID()}`, writeKey, ...who, ...more }
    // text/plain needs no preflight, as in Segment's own SDK; keepalive outlives a page that is left.
    const headers = { 'content-type': 'text/plain' }
    const answer = await fetch(`${segue}/v1/${type}`, { method: 'POST', headers, body: JSON.stringify(body), keepalive: true })
    if (!answer.ok) throw new Error(`Segue answered ${answer.status}`)
  }

  // One text for one subscription: always the same fields in the same order.
  const written = (subscription) => {
    const { endpoint, keys } = subscription.toJSON()
    return JSON.stringify({ endpoint, keys: { p256dh: keys.p256dh, auth: keys.auth } })
  }

  const tell = async (subscription) => {
    const token = written(subscription)
    const mark = JSON.stringify([user(), token])
    if (localStorage.getItem(TOLD) === mark) return token
    await call('identify', { traits: { web_push_token: token } })
    localStorage.setItem(TOLD, mark)
    return token
  }

  const subscribe = async (wording) => {
    if (!possible) throw new Error('This browser has no web push')
    if (navigator.userActivation && !navigator.userActivation.isActive) {
      throw new Error('Ask for notifications only after a click')
    }
    if (await Notification.requestPermission() !== 'granted') return null
    await navigator.serviceWorker.register(worker)
    const registration = await navigator.serviceWorker.ready
    const options = { userVisibleOnly: true, applicationServerKey: bytes(publicKey) }
    let subscription
    try {
      subscription = await registration.pushManager.subscribe(options)
    } catch (error) {
      if (error.name !== 'InvalidStateError') throw error
      await (await registration.pushManager.getSubscription()).unsubscribe() // it was made with another key
      subscription = await registration.pushManager.subscribe(options)
    }
    const token = await tell(subscription)
    await call('track', { event: 'subscribed', properties: { channel: 'web_push', wording } })
    return token
  }

  const unsubscribe = async () => {
    const registration = possible && await navigator.serviceWorker.getRegistration(worker)
    const subscription = registration && await registration.pushManager.getSubscription()
    if (subscription) await subscription.unsubscribe()
    localStorage.removeItem(TOLD)
    await call('track', { event: 'unsubscribed', properties: { channel: 'web_push' } })
  }

  const offer = ({ text, yes, no, days = 30 }) => {
    const later = Number(localStorage.getItem(LATER) || 0)
    if (!possible || Notification.permission !== 'default' || Date.now() < later) return null
    const bar = document.createElement('div')
    bar.id = 'segue-push'
    bar.setAttribute('role', 'dialog')
    bar.setAttribute('aria-label', text)
    bar.style.cssText = 'position:fixed;z-index:2147483000;left:1rem;right:1rem;bottom:1rem;max-width:26rem;' +
      'margin:0 auto;padding:1rem;background:#fff;color:#1a1a1a;border-radius:.75rem;' +
      'box-shadow:0 .25rem 1.5rem rgba(0,0,0,.25);font:1rem/1.4 system-ui,sans-serif'
    const said = document.createElement('p')
    said.style.cssText = 'margin:0 0 .75rem'
    said.textContent = text
    const button = (label, style, act) => {
      const made = document.createElement('button')
      made.type = 'button'
      made.textContent = label
      made.style.cssText = 'font:inherit;padding:.5rem 1rem;border-radius:.5rem;cursor:pointer;margin-right:.5rem;' + style
      made.addEventListener('click', () => { bar.remove(); act() })
      return made
    }
    bar.append(
      said,
      button(yes, 'border:0;background:#1a1a1a;color:#fff', () => subscribe(text).catch((error) => console.error(error))),
      button(no, 'border:1px solid #767676;background:#fff;color:#1a1a1a',
        () => localStorage.setItem(LATER, String(Date.now() + days * 86400000))),
    )
    document.body.append(bar)
    return bar
  }

  // Tells Segue of a subscription that the browser has renewed, or of who the visitor is by now. Asks nobody anything.
  const refresh = async () => {
    if (!possible || Notification.permission !== 'granted') return
    const registration = await navigator.serviceWorker.getRegistration(worker)
    const subscription = registration && await registration.pushManager.getSubscription()
    if (subscription) await tell(subscription)
  }
  refresh().catch((error) => console.error(error))

  return { subscribe, unsubscribe, offer }
}
