import { PushClient } from '/client/pushbridge-client.js';

const { name } = document.documentElement.dataset;
const push = new PushClient(`/ws?user=${encodeURIComponent(name)}`);

push.channel('chat').on('chat.message', ({ from, text }) => {
  const item = document.createElement('li');
  const who = document.createElement('strong');
  who.textContent = from; // textContent, never innerHTML: what others write is text
  item.append(who, ` ${text}`);
  document.getElementById('messages').append(item);
  item.scrollIntoView({ block: 'nearest' });
});

push.addEventListener('state', ({ detail }) => (document.getElementById('state').textContent = detail.state));
push.addEventListener('subscribed', () => (document.getElementById('state').dataset.listening = 'true'));

document.getElementById('post').addEventListener('submit', async (event) => {
  event.preventDefault();
  const { text } = event.target.elements;
  const outcome = document.getElementById('outcome');
  outcome.textContent = '';
  try {
    const response = await fetch('/post', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ text: text.value }),
    });
    if (response.ok) text.value = '';
    else outcome.textContent = (await response.json()).error;
  } catch (error) {
    outcome.textContent = `The server does not answer: ${error.message}`;
  }
});
