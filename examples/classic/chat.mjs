// Sends one message from one account to another and waits for it on the other side: the frames, without any SDK.
// Usage: node chat.mjs "$(npx xlvein url --account user_1)" "$(npx xlvein url --account user_2)" user_2
const [senderUrl, receiverUrl, receiver] = process.argv.slice(2);
if (!receiver) {
  console.error("usage: node chat.mjs SENDER_URL RECEIVER_URL RECEIVER_ACCOUNT");
  process.exit(2);
}

function open(url) {
  const socket = new WebSocket(url);
  return new Promise((resolve, reject) => {
    socket.addEventListener("open", () => resolve(socket), { once: true });
    socket.addEventListener("error", () => reject(new Error("the handshake was refused; curl shows why")), { once: true });
  });
}

const [sender, receiving] = await Promise.all([open(senderUrl), open(receiverUrl)]);
receiving.addEventListener("message", ({ data }) => {
  const { from, event, send_at, ...message } = JSON.parse(data);
  console.log(`${from} wrote (event ${event}, ${new Date(send_at).toISOString()}): ${JSON.stringify(message.data)}`);
  sender.close();
  receiving.close();
});
sender.send(JSON.stringify({ to: receiver, data: { text: "hi" } }));
