// Conversations that are too long, made to fit.
#pragma once

#include "server/requests/chat_request.h"
#include "server/served_model.h"

namespace quire {

// Drops whole turns, from the oldest on, until the prompt and max_tokens fit the context: a turn begins with
// what the user says. What the system says stays, and so does the last turn; if that alone is too long,
// nothing is dropped, and preparing the request says so.
void drop_oldest_turns(const ServedModel& model, ChatRequest& request);

}  // namespace quire
