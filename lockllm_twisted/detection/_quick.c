/* The inner loops of the detector once more, in C, for where a compiler is at hand.

   Responsible for: `Sums`, which counts as `counting.Sums` does, to the bit, and tells of most texts at a glance that they say
   nothing; `Starts`, which tells as `starts.Starts` does where rules may match; `Forest`, which weighs as `weighing.Forest` does;
   `tokens`, as in tokens.py; `rows`, where a decoder has to look at all.
   Must never: find anything that these do not find, or miss what they find (tests/test_quick.py); read past a text, or write but
   to memory of its own.

   What a unit, an alarm, a layer is, and why, stands in counting.py and grams.py; what a disguise looks like in the decoders. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ATTACK, PLANTED, HARMFUL, KINDS };
enum { OWN, OTHER, BROUGHT, SPEAKERS };
enum { WIDE = 6, NEAR, HIDDEN, OUTSIDE, RULES_OF, ORDERS = 16, MENTIONED, QUOTING, OPERATOR, LENGTH, FEATURES };
enum { HEADS = 6, SCOUT_HEADS = 3, LAYERS = 7, SCOUT_LAYERS = 2 };
enum { W1, W2, W3, S2, C2, C3, D2 };
enum { WORD_BITS = 15, CLASS_BITS = 10, MOST_WORDS = 1 << WORD_BITS };
enum { INDIRECT = 3, HARM = 4, ANY = 5 };
enum { FIELD = 20, MIDDLE = 1 << (FIELD - 1), HALF = 3 };
enum { LAST_END = 5, SENTENCE = 48, WINDOW = 96, STEP = 24, QUOTATION = 40 };
enum { SPEAKING = 1, BASE64 = 2, BASE85 = 4, HEXED = 8, BINARY = 16, DECIMAL = 32, MORSE = 64, ESCAPED = 128, ASSEMBLED = 256 };
enum { ALPHABETS = 512, SPACED = 1024, GLUED = 2048, LEETED = 4096, EVERYTHING = 16383 }; /* doubts, as in doubts.py */
enum { SHORT = 100, BRIEF = 4 }; /* tokens, as which a longer text is weighed once more; and up to which a text is no sentence */
enum { SHAPES = 10, LONG_WORD = 20, LONG_SHAPE = 18, STEM = 3, DISTINCT = 16, THREADED = 20000 };
enum { ENCODED = 16, JOINED = 18 }; /* letters and digits of a word that may be base64, that may be several words */
enum { IN_CAPITALS = 24, BASE85_RUN = 20, BASE85_KINDS = 3, HEX_DIGITS = 16, LEET_REACH = 24, SHORTEST = 4 }; /* of a word of an attack: four letters */
enum { CIPHERS = (1 << 30) - 1, TELLING = 1u << 31 }; /* of `Word.ciphers`; what it is itself: TELLING, of an attack; else such a word, or one that joins them */
enum { PARTS = 2, COVERED = 7, LONGEST_PART = 16, LONGEST_WORD = 256 }; /* words in a word, more than; tenths of it that they make up; letters */
enum { NEEDS = 5, RULES = 3 }; /* 64 needs each, 64 rules each */
enum { PAGE = 4096, OVERLAP = 768 }; /* characters that the rules see at once, and how many of them in the next page too */
#define SCALE 32.0
#define NOTHING (-8.0)

/* ---- tables ---------------------------------------------------------------------------------------------------- */

typedef struct {
    uint64_t key; /* plus one; 0: empty */
    int16_t row[HEADS];
} Slot;

typedef struct {
    Slot *slots;
    size_t mask;
} Table;

static inline size_t spread(uint64_t key) {
    key *= 0x9E3779B97F4A7C15ull;
    return (size_t)(key >> 20);
}

static inline const int16_t *find(const Table *table, uint64_t key) {
    for (size_t at = spread(key) & table->mask;; at = (at + 1) & table->mask) {
        const Slot *slot = &table->slots[at];
        if (slot->key == key + 1) return slot->row;
        if (slot->key == 0) return NULL;
    }
}

/* From (keys, half, half): arrays of 64-bit numbers, three heads side by side in each half. */
static int table_from(Table *table, PyObject *arrays) {
    Py_buffer parts[3];
    int held = 0, result = -1;
    Py_ssize_t halves = PyTuple_Check(arrays) ? PyTuple_GET_SIZE(arrays) - 1 : 0;
    if (halves < 1 || halves > 2) {
        PyErr_SetString(PyExc_TypeError, "a table is (keys, half) or (keys, half, half)");
        return -1;
    }
    for (; held <= halves; held++) {
        if (PyObject_GetBuffer(PyTuple_GET_ITEM(arrays, held), &parts[held], PyBUF_SIMPLE) < 0) goto done;
        if (parts[held].len % 8 || parts[held].len != parts[0].len) {
            held++;
            PyErr_SetString(PyExc_ValueError, "the columns of a table are not of one length");
            goto done;
        }
    }
    size_t count = (size_t)parts[0].len / 8, size = 16;
    while (size < count * 2) size *= 2;
    table->mask = size - 1;
    table->slots = calloc(size, sizeof(Slot));
    if (table->slots == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    for (size_t at = 0; at < count; at++) {
        const uint64_t key = ((const uint64_t *)parts[0].buf)[at];
        size_t place = spread(key) & table->mask;
        while (table->slots[place].key) place = (place + 1) & table->mask;
        Slot *slot = &table->slots[place];
        slot->key = key + 1;
        for (int half = 0; half < halves; half++) {
            int64_t packed = ((const int64_t *)parts[half + 1].buf)[at];
            for (int head = 0; head < HALF; head++) {
                const int64_t weight = ((packed + MIDDLE) & ((1 << FIELD) - 1)) - MIDDLE;
                if (weight < INT16_MIN || weight > INT16_MAX) {
                    PyErr_SetString(PyExc_OverflowError, "a weight is too large");
                    goto done;
                }
                slot->row[half * HALF + head] = (int16_t)weight;
                packed = (packed - weight) >> FIELD;
            }
        }
    }
    result = 0;
done:
    while (held--) PyBuffer_Release(&parts[held]);
    return result;
}

/* Longer words are none that anybody knows. */
typedef struct {
    uint32_t ciphers; /* that write a word of an attack so; above `CIPHERS`: what the word is itself */
    uint16_t number, met;
    uint8_t size; /* 0: empty */
    char letters[LONG_WORD];
} Word;

/* What a word means to the rules: the needs that it meets, the rules of which a match may start with it. A bit each. */
typedef struct {
    uint64_t needs[NEEDS], heads[RULES];
} Met;

/* A rule that goes by words. */
typedef struct {
    uint64_t needs[NEEDS];
    uint64_t precise, headless, harmful; /* 0 or 1; a match of a headless rule may start anywhere; "harmful": of requests for harm */
} Rule;

typedef struct {
    Word *slots;
    size_t mask;
} Words;

static inline uint64_t hashed(const char *letters, size_t size) {
    uint64_t hash = 0xCBF29CE484222325ull;
    for (size_t at = 0; at < size; at++) hash = (hash ^ (unsigned char)letters[at]) * 0x100000001B3ull;
    return hash;
}

static inline Word *word_slot(const Words *words, const char *letters, size_t size) {
    for (size_t at = spread(hashed(letters, size)) & words->mask;; at = (at + 1) & words->mask) {
        Word *word = &words->slots[at];
        if (word->size == 0 || (word->size == size && memcmp(word->letters, letters, size) == 0)) return word;
    }
}

/* ---- trees ----------------------------------------------------------------------------------------------------- */

typedef struct {
    double value; /* a threshold, or what a leaf adds */
    int32_t feature; /* -1: a leaf */
    uint32_t least, most;
} Node;

typedef struct {
    PyObject_HEAD
    Node *nodes;
    uint32_t *roots;
    size_t count, features;
    double slope;
    size_t heads[HEADS], head_count;
} Forest;

static double weigh(const Forest *self, const double *row) {
    double total = 0.0;
    for (size_t at = 0; at < self->head_count; at++) total += self->slope * row[self->heads[at]];
    for (size_t at = 0; at < self->count; at++) {
        const Node *node = &self->nodes[self->roots[at]];
        while (node->feature >= 0) node = &self->nodes[row[node->feature] <= node->value ? node->least : node->most];
        total += node->value;
    }
    return total;
}

static PyTypeObject ForestType;

/* ---- the types ------------------------------------------------------------------------------------------------- */

/* The rules that go by words, and what words mean to them. */
typedef struct {
    PyObject_HEAD
    Words words;
    Met *meets;
    size_t meet_count;
    Rule *rules;
    size_t rule_count;
} Starts;

static PyTypeObject StartsType;

typedef struct {
    PyObject_HEAD
    Table layers[LAYERS], scout[SCOUT_LAYERS];
    uint16_t *classes;
    size_t numbers;
    Words words;
    Starts *starts;
    uint32_t usual;
    uint16_t shapes[SHAPES], quote, line;
    double sentence[HEADS], window[HEADS], share[HEADS], faint[SCOUT_HEADS], least[SCOUT_HEADS];
    Forest *forests[KINDS];
    double untold[KINDS][SPEAKERS]; /* what the trees say at most where nothing is told, */
    double quiet[2 * KINDS];        /* and what the heads do, and what they do in a curt text */
    int64_t limits[4][SCOUT_HEADS]; /* of sentences, of windows; of these in a curt text */
} Sums;

static int numbers_of(PyObject *from, double *to, Py_ssize_t count) {
    PyObject *items = PySequence_Fast(from, "a sequence of numbers is wanted");
    if (items == NULL) return -1;
    if (PySequence_Fast_GET_SIZE(items) != count) PyErr_SetString(PyExc_ValueError, "not a number for each head");
    for (Py_ssize_t at = 0; at < count && !PyErr_Occurred(); at++) to[at] = PyFloat_AsDouble(PySequence_Fast_GET_ITEM(items, at));
    Py_DECREF(items);
    return PyErr_Occurred() ? -1 : 0;
}

static int limits_of(PyObject *from, int64_t to[4][SCOUT_HEADS]) {
    double found[4 * SCOUT_HEADS];
    if (numbers_of(from, found, 4 * SCOUT_HEADS) < 0) return -1;
    for (int at = 0; at < 4 * SCOUT_HEADS; at++) to[at / SCOUT_HEADS][at % SCOUT_HEADS] = (int64_t)found[at];
    return 0;
}

static int tables_of(PyObject *from, Table *to, Py_ssize_t count) {
    if (!PyList_Check(from) || PyList_GET_SIZE(from) != count) {
        PyErr_SetString(PyExc_ValueError, "not a table for each layer");
        return -1;
    }
    for (Py_ssize_t at = 0; at < count; at++)
        if (table_from(&to[at], PyList_GET_ITEM(from, at)) < 0) return -1;
    return 0;
}

static int add_word(Words *words, PyObject *spelled, unsigned long number, unsigned long ciphers, unsigned long met) {
    Py_ssize_t size;
    const char *letters = PyUnicode_AsUTF8AndSize(spelled, &size);
    if (letters == NULL) return -1;
    if (size == 0 || !PyUnicode_IS_ASCII(spelled)) return 0;
    if (size > LONG_WORD) {
        PyErr_SetString(PyExc_ValueError, "a word is too long");
        return -1;
    }
    Word *word = word_slot(words, letters, (size_t)size);
    memcpy(word->letters, letters, (size_t)size);
    word->size = (uint8_t)size;
    word->number = (uint16_t)number;
    word->ciphers = (uint32_t)ciphers;
    word->met = (uint16_t)met;
    return 0;
}

/* words: {spelled: (number, ciphers, met)} */
static int words_of(PyObject *from, Words *words, size_t numbers, size_t meets) {
    size_t size = 16;
    while (size < (size_t)PyDict_GET_SIZE(from) * 2) size *= 2;
    words->mask = size - 1;
    words->slots = calloc(size, sizeof(Word));
    if (words->slots == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    PyObject *spelled, *told;
    Py_ssize_t at = 0;
    while (PyDict_Next(from, &at, &spelled, &told)) {
        unsigned long number, ciphers, met;
        if (!PyArg_ParseTuple(told, "kkk", &number, &ciphers, &met)) return -1;
        if (number >= numbers || met >= meets) {
            PyErr_SetString(PyExc_ValueError, "a word has a number that nothing stands for");
            return -1;
        }
        if (add_word(words, spelled, number, ciphers, met) < 0) return -1;
    }
    return 0;
}

/* The trees of each kind, and for each what they say at most, by who speaks, where nothing is told. */
static int weighing_of(Sums *self, PyObject *forests, PyObject *untold) {
    double limits[KINDS * SPEAKERS];
    if (numbers_of(untold, limits, KINDS * SPEAKERS) < 0) return -1;
    memcpy(self->untold, limits, sizeof(limits));
    for (int kind = 0; kind < KINDS; kind++) {
        PyObject *forest = PyTuple_Check(forests) && PyTuple_GET_SIZE(forests) == KINDS ? PyTuple_GET_ITEM(forests, kind) : NULL;
        if (forest == NULL || Py_TYPE(forest) != &ForestType || ((Forest *)forest)->features > FEATURES) {
            PyErr_SetString(PyExc_TypeError, "not a forest for each kind");
            return -1;
        }
        self->forests[kind] = (Forest *)Py_NewRef(forest);
    }
    return 0;
}

/* A copy of an array of numbers of some size; how many of some `part` bytes it holds. NULL with an exception. */
static void *copied(PyObject *from, size_t part, size_t *count) {
    Py_buffer held;
    if (PyObject_GetBuffer(from, &held, PyBUF_SIMPLE) < 0) return NULL;
    void *copy = NULL;
    if ((size_t)held.len % part) PyErr_SetString(PyExc_ValueError, "an array does not hold whole rows");
    else if ((copy = malloc((size_t)held.len + 1)) == NULL) PyErr_NoMemory();
    else memcpy(copy, held.buf, (size_t)held.len);
    *count = (size_t)held.len / part;
    PyBuffer_Release(&held);
    return copy;
}

static int fill(Sums *self, PyObject *args, PyObject *named) {
    static char *names[] = {"classes", "layers", "scout", "sentence", "window", "share", "faint", "least", "limits", "words",
                            "shapes", "quote", "line", "usual", "starts", "forests", "untold", "quiet", NULL};
    PyObject *classes, *layers, *scout, *sentence, *window, *share, *faint, *least, *limits, *words, *shapes, *starts,
        *forests, *untold, *quiet;
    unsigned int usual;
    if (!PyArg_ParseTupleAndKeywords(args, named, "$OOOOOOOOOO!OHHIO!OOO", names, &classes, &layers, &scout, &sentence, &window,
                                     &share, &faint, &least, &limits, &PyDict_Type, &words, &shapes, &self->quote, &self->line,
                                     &usual, &StartsType, &starts, &forests, &untold, &quiet))
        return -1;
    self->usual = usual;
    self->starts = (Starts *)Py_NewRef(starts);
    if ((self->classes = copied(classes, sizeof(uint16_t), &self->numbers)) == NULL) return -1;
    double shape_numbers[SHAPES];
    if (numbers_of(shapes, shape_numbers, SHAPES) < 0) return -1;
    int wrong = self->numbers > MOST_WORDS;
    for (int at = 0; at < SHAPES; at++) {
        self->shapes[at] = (uint16_t)shape_numbers[at];
        wrong |= self->shapes[at] >= self->numbers;
    }
    if (wrong) {
        PyErr_SetString(PyExc_ValueError, "not a class for each word");
        return -1;
    }
    if (weighing_of(self, forests, untold) < 0) return -1;
    if (tables_of(layers, self->layers, LAYERS) < 0 || tables_of(scout, self->scout, SCOUT_LAYERS) < 0 ||
        numbers_of(sentence, self->sentence, HEADS) < 0 || numbers_of(window, self->window, HEADS) < 0 ||
        numbers_of(share, self->share, HEADS) < 0 || numbers_of(faint, self->faint, SCOUT_HEADS) < 0 ||
        numbers_of(least, self->least, SCOUT_HEADS) < 0 || numbers_of(quiet, self->quiet, 2 * KINDS) < 0 ||
        limits_of(limits, self->limits) < 0 || words_of(words, &self->words, self->numbers, self->starts->meet_count) < 0)
        return -1;
    return 0;
}

static PyObject *sums_new(PyTypeObject *type, PyObject *args, PyObject *named) {
    PyObject *self = type->tp_alloc(type, 0);
    if (self != NULL && fill((Sums *)self, args, named) < 0) Py_CLEAR(self);
    return self;
}

static void sums_dealloc(Sums *self) {
    for (int at = 0; at < LAYERS; at++) free(self->layers[at].slots);
    for (int at = 0; at < SCOUT_LAYERS; at++) free(self->scout[at].slots);
    free(self->classes);
    Py_XDECREF(self->starts);
    for (int kind = 0; kind < KINDS; kind++) Py_XDECREF(self->forests[kind]);
    free(self->words.slots);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

/* ---- units ----------------------------------------------------------------------------------------------------- */

typedef struct {
    size_t first, end;
    int window;
} Unit;

typedef struct {
    Unit unit;
    double logits[HEADS], outside;
} Seen;

/* The numbers of some tokens, and what is worked out on the way. All that is allocated is here. */
typedef struct {
    uint16_t *ids;
    size_t size, room;
    Unit *units;
    size_t unit_count;
    Seen *seen;
    size_t seen_count, seen_room;
    int64_t *totals;
    unsigned char *cited;
} Work;

static void work_free(Work *work) {
    free(work->ids);
    free(work->units);
    free(work->seen);
    free(work->totals);
    free(work->cited);
}

static inline int starts_before(const Unit *one, const Unit *other) {
    if (one->first != other->first) return one->first < other->first;
    if (one->end != other->end) return one->end < other->end;
    return one->window < other->window;
}

/* As `counting.is_curt`. */
static inline int is_curt(const Work *work) { return work->size <= SENTENCE; }

static inline int alarmed(const int64_t *totals, size_t first, size_t end, const int64_t *limits, int brought) {
    for (size_t head = 0; head < SCOUT_HEADS; head++) {
        if (head == 0 && !brought) continue; /* "indirect" */
        if (totals[end * SCOUT_HEADS + head] - totals[first * SCOUT_HEADS + head] >= limits[head]) return 1;
    }
    return 0;
}

/* All sentences, or the sentences and windows that alarm the scout, in order. */
static int suspects(const Sums *self, Work *work, int brought, int everything) {
    const size_t size = work->size;
    const uint16_t *ids = work->ids;
    work->units = malloc((size / 2 + size / STEP + 8) * sizeof(Unit));
    if (work->units == NULL) return -1;
    if (!everything) {
        int64_t *totals = work->totals = malloc((size + 1) * SCOUT_HEADS * sizeof(int64_t));
        if (totals == NULL) return -1;
        memset(totals, 0, SCOUT_HEADS * sizeof(int64_t));
        for (size_t at = 0; at < size; at++) {
            int64_t *next = totals + (at + 1) * SCOUT_HEADS;
            memcpy(next, next - SCOUT_HEADS, SCOUT_HEADS * sizeof(int64_t));
            const int16_t *row = find(&self->scout[W1], ids[at]);
            if (row != NULL)
                for (int head = 0; head < SCOUT_HEADS; head++) next[head] += row[head];
            if (at == 0) continue;
            row = find(&self->scout[W2], (uint64_t)ids[at - 1] << WORD_BITS | ids[at]);
            if (row != NULL)
                for (int head = 0; head < SCOUT_HEADS; head++) next[head] += row[head];
        }
    }
    const int64_t(*limits)[SCOUT_HEADS] = self->limits + 2 * is_curt(work);
    const size_t windows = size <= STEP ? 0 : size + STEP <= WINDOW ? 1 : (size - WINDOW + STEP + STEP - 1) / STEP;
    size_t window = 0, start = 0, any = 0;
#define TAKE(from, to, wide_)                                                                                          \
    do {                                                                                                                 \
        if (everything || alarmed(work->totals, from, to, limits[wide_], brought))                                       \
            work->units[work->unit_count++] = (Unit){from, to, wide_};                                                   \
    } while (0)
#define TAKE_SENTENCE(from, to)                                                                                        \
    do {                                                                                                                 \
        const Unit sentence = {from, to, 0};                                                                             \
        while (!everything && window < windows) {                                                                        \
            const size_t left = window * STEP, right = left + WINDOW < size ? left + WINDOW : size;                      \
            const Unit wide = {left, right, 1};                                                                          \
            if (!starts_before(&wide, &sentence)) break;                                                                 \
            TAKE(left, right, 1);                                                                                        \
            window++;                                                                                                    \
        }                                                                                                                \
        any = 1;                                                                                                         \
        TAKE(from, to, 0);                                                                                               \
    } while (0)
    for (size_t at = 0; at <= size; at++) {
        if (at < size && ids[at] > LAST_END) continue;
        const size_t end = at < size ? at + 1 : size;
        while (end - start > SENTENCE) {
            TAKE_SENTENCE(start, start + SENTENCE);
            start += SENTENCE;
        }
        if (end - start > 1) TAKE_SENTENCE(start, end);
        start = end;
    }
    if (!any) TAKE_SENTENCE(0, size);
    for (; !everything && window < windows; window++) {
        const size_t left = window * STEP;
        TAKE(left, left + WINDOW < size ? left + WINDOW : size, 1);
    }
#undef TAKE_SENTENCE
#undef TAKE
    return 0;
}

/* Marks what stands between two quotation marks. */
static int quotations(const Sums *self, Work *work) {
    const uint16_t *ids = work->ids;
    size_t opened = SIZE_MAX, line = SIZE_MAX;
    for (size_t at = 0; at < work->size; at++) {
        if (ids[at] == self->line) line = at;
        if (ids[at] != self->quote) continue;
        if (opened != SIZE_MAX && at - opened <= QUOTATION && (line == SIZE_MAX || line < opened)) {
            if (work->cited == NULL && (work->cited = calloc(work->size, 1)) == NULL) return -1;
            memset(work->cited + opened + 1, 1, at - opened - 1);
            opened = SIZE_MAX;
        } else {
            opened = at;
        }
    }
    return 0;
}

static inline void add(int64_t *to, const int16_t *row) {
    if (row != NULL)
        for (int head = 0; head < HEADS; head++) to[head] += row[head];
}

/* The weights of the n-grams that end at a token. */
static void each(const Sums *self, const uint16_t *ids, size_t at, int64_t *to) {
    const uint64_t w0 = ids[at], c0 = self->classes[w0];
    memset(to, 0, HEADS * sizeof(int64_t));
    add(to, find(&self->layers[W1], w0));
    if (at < 1) return;
    const uint64_t w1 = ids[at - 1], c1 = self->classes[w1];
    add(to, find(&self->layers[W2], w1 << WORD_BITS | w0));
    add(to, find(&self->layers[C2], c1 << CLASS_BITS | c0));
    if (at < 2) return;
    const uint64_t w2 = ids[at - 2], c2 = self->classes[w2];
    add(to, find(&self->layers[S2], w2 << WORD_BITS | w0));
    add(to, find(&self->layers[D2], c2 << CLASS_BITS | c0));
    add(to, find(&self->layers[W3], (w2 << WORD_BITS | w1) << WORD_BITS | w0));
    add(to, find(&self->layers[C3], (c2 << CLASS_BITS | c1) << CLASS_BITS | c0));
}

static inline int above(const double *logits, const double *limits) {
    return logits[INDIRECT] > limits[0] || logits[HARM] > limits[1] || logits[ANY] > limits[2];
}

/* What is said in each suspect, where one says enough for a text to be weighed. Returns -1 without memory. */
static int look(const Sums *self, Work *work, int brought, int everything) {
    int loud = is_curt(work);
    if (suspects(self, work, brought, everything) < 0) return -1;
    if (work->unit_count == 0) return 0;
    if (quotations(self, work) < 0) return -1;
    int64_t(*sums)[HEADS + 1] = NULL;
    size_t room = 0;
    for (size_t from = 0, to; from < work->unit_count; from = to) {
        size_t reached = work->units[from].end;
        for (to = from + 1; to < work->unit_count && work->units[to].first <= reached; to++)
            if (work->units[to].end > reached) reached = work->units[to].end;
        const size_t start = work->units[from].first, size = reached - start;
        if (size + 1 > room) {
            free(sums);
            room = size + 1;
            if ((sums = malloc(room * sizeof(*sums))) == NULL) return -1;
        }
        memset(sums[0], 0, sizeof(*sums));
        for (size_t at = 0; at < size; at++) {
            int64_t here[HEADS];
            each(self, work->ids, start + at, here);
            for (int head = 0; head < HEADS; head++) sums[at + 1][head] = sums[at][head] + here[head];
            sums[at + 1][HEADS] = sums[at][HEADS] + (work->cited != NULL && work->cited[start + at] ? 0 : here[ANY]);
        }
        for (size_t number = from; number < to; number++) {
            const Unit unit = work->units[number];
            const int64_t *left = sums[unit.first - start], *right = sums[unit.end - start];
            const double *bias = unit.window ? self->window : self->sentence;
            Seen seen = {.unit = unit};
            for (int head = 0; head < HEADS; head++) {
                const double share = unit.window ? self->share[head] : 1.0;
                seen.logits[head] = (double)(right[head] - left[head]) / SCALE * share + bias[head];
            }
            seen.outside = (double)(right[HEADS] - left[HEADS]) / SCALE * (unit.window ? self->share[ANY] : 1.0) + bias[ANY];
            if (!brought) seen.logits[INDIRECT] = NOTHING;
            if (!everything && !above(seen.logits, self->faint)) continue;
            loud |= above(seen.logits, self->least);
            if (work->seen_count == work->seen_room) {
                work->seen_room = work->seen_room * 2 + 8;
                Seen *more = realloc(work->seen, work->seen_room * sizeof(Seen));
                if (more == NULL) {
                    free(sums);
                    return -1;
                }
                work->seen = more;
            }
            work->seen[work->seen_count++] = seen;
        }
    }
    free(sums);
    if (!loud && !everything) work->seen_count = 0;
    return 0;
}

static PyObject *seen_list(const Work *work) {
    PyObject *result = PyList_New((Py_ssize_t)work->seen_count);
    for (size_t at = 0; result != NULL && at < work->seen_count; at++) {
        const Seen *seen = &work->seen[at];
        const double *logits = seen->logits;
        PyObject *one = Py_BuildValue("nn(dddddd)dO", (Py_ssize_t)seen->unit.first, (Py_ssize_t)seen->unit.end, logits[0], logits[1],
                                      logits[2], logits[3], logits[4], logits[5], seen->outside,
                                      seen->unit.window ? Py_True : Py_False);
        if (one == NULL) Py_CLEAR(result);
        else PyList_SET_ITEM(result, (Py_ssize_t)at, one);
    }
    return result;
}

static PyObject *sums_look(Sums *self, PyObject *args) {
    PyObject *from, *result = NULL;
    int brought, everything, failed = 0;
    if (!PyArg_ParseTuple(args, "O!pp", &PyList_Type, &from, &brought, &everything)) return NULL;
    Work work = {0};
    work.size = (size_t)PyList_GET_SIZE(from);
    if (work.size == 0) return PyList_New(0);
    if ((work.ids = malloc(work.size * sizeof(uint16_t))) == NULL) return PyErr_NoMemory();
    for (size_t at = 0; at < work.size; at++) {
        const long number = PyLong_AsLong(PyList_GET_ITEM(from, (Py_ssize_t)at));
        if (number < 0 || (size_t)number >= self->numbers) {
            if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "there is no word of this number");
            goto done;
        }
        work.ids[at] = (uint16_t)number;
    }
    if (work.size > THREADED) {
        Py_BEGIN_ALLOW_THREADS;
        failed = look(self, &work, brought, everything);
        Py_END_ALLOW_THREADS;
    } else {
        failed = look(self, &work, brought, everything);
    }
    if (failed < 0) {
        PyErr_NoMemory();
        goto done;
    }
    result = seen_list(&work);
done:
    work_free(&work);
    return result;
}

static PyObject *sums_weight(Sums *self, PyObject *args) {
    unsigned int layer, head;
    unsigned long long key;
    if (!PyArg_ParseTuple(args, "IKI", &layer, &key, &head)) return NULL;
    if (layer >= LAYERS || head >= HEADS) {
        PyErr_SetString(PyExc_IndexError, "no such layer or head");
        return NULL;
    }
    const int16_t *row = find(&self->layers[layer], key);
    return PyFloat_FromDouble(row == NULL ? 0.0 : row[head] / SCALE);
}

/* ---- a glance -------------------------------------------------------------------------------------------------- */

enum {
    LETTER = 1, /* a part of a word */
    DIGIT = 2,
    MARK = 4,   /* a token by itself */
    CONTROL = 8, /* folding takes it out */
    JOINT = 16, /* markup that may stand inside of a word */
    LEET = 32,
    HEX = 64,
    JOINING = 128, /* what may stand between two strings that are one */
};

static unsigned char kinds[128];
static unsigned char base85_signs[128];
static const char *ordinals = "0123456789";

static void kinds_init(void) {
    for (int sign = 0; sign < 128; sign++) {
        if ((sign >= 'a' && sign <= 'z') || (sign >= 'A' && sign <= 'Z')) kinds[sign] |= LETTER;
        if (sign < 9 || (sign > 13 && sign < 28) || sign == 127) kinds[sign] |= CONTROL;
    }
    for (const char *sign = ordinals; *sign; sign++) kinds[(int)*sign] |= DIGIT | HEX;
    for (const char *sign = "abcdefABCDEF"; *sign; sign++) kinds[(int)*sign] |= HEX;
    for (const char *sign = ".!?:|\"<[#;\n"; *sign; sign++) kinds[(int)*sign] |= MARK;
    kinds['|'] &= (unsigned char)~MARK;
    for (const char *sign = "<*`~"; *sign; sign++) kinds[(int)*sign] |= JOINT;
    for (const char *sign = "013457@$"; *sign; sign++) kinds[(int)*sign] |= LEET;
    for (const char *sign = " \n+.&|"; *sign; sign++) kinds[(int)*sign] |= JOINING;
    unsigned char number = 1;
    for (const char *sign = "$%&*;<=>?@^`"; *sign; sign++) base85_signs[(int)*sign] = number++;
}

typedef struct {
    const Sums *sums;
    Work *work;
    uint64_t needs[NEEDS];
    int brought, own;
    int alone; /* there are no other readings of this text, but for what is in doubt */
    int doubts;
    uint32_t once, twice; /* ciphers that one word, that two words are in */
    uint32_t singles;     /* single letters, by their place in the alphabet */
    const Word *met[DISTINCT];
    size_t met_count;
} Glance;

static PyObject *nothing, *in_doubt; /* what is told of most texts */

/* The place of a word's shape in `grams.SHAPES`. ``digits``: how many of its letters are. */
static size_t shape(const char *word, size_t size, size_t digits) {
    if (digits == size) return 0;
    if (digits) return 1;
    if (size > LONG_SHAPE) return 8;
    static const char *const endings[] = {"ing", "ed", "ly", "ion", "s"};
    for (size_t number = 0; number < 5; number++) {
        const size_t length = strlen(endings[number]);
        if (size > length + STEM && memcmp(word + size - length, endings[number], length) == 0) return 3 + number;
    }
    return 9;
}

/* What is known of a word of a text, by its letters as they stand there; NULL for nothing. */
static inline const Word *known_as(const Words *words, const char *text, size_t size) {
    char word[LONG_WORD];
    if (size > LONG_WORD) return NULL;
    for (size_t at = 0; at < size; at++) word[at] = (char)(kinds[(unsigned char)text[at]] & LETTER ? text[at] | 0x20 : text[at]);
    const Word *found = word_slot(words, word, size);
    return found->size ? found : NULL;
}

/* A word, as the rules see it: apostrophes part words. */
static inline void meet(Glance *glance, const Word *known) {
    if (known == NULL || known->met == 0) return;
    const Met *met = &glance->sums->starts->meets[known->met];
    for (int bits = 0; bits < NEEDS; bits++) glance->needs[bits] |= met->needs[bits];
}

/* A word of a cipher's: two of one cipher, or one of a usual one, and the text may be disguised. */
static void cipher(Glance *glance, const Word *known) {
    size_t place = 0;
    while (place < glance->met_count && glance->met[place] != known) place++;
    if (place < glance->met_count) return;
    if (place == DISTINCT) {
        glance->doubts |= ALPHABETS;
        return;
    }
    glance->met[glance->met_count++] = known;
    glance->twice |= glance->once & known->ciphers & CIPHERS;
    glance->once |= known->ciphers & CIPHERS;
}

/* A token more. ``digits``: how many of its letters are; ``whole``: it is a word to the rules too. */
static void token(Glance *glance, const char *word, size_t size, size_t digits, int whole) {
    const Word *known = size > LONG_WORD ? NULL : word_slot(&glance->sums->words, word, size);
    if (known != NULL && known->size == 0) known = NULL;
    if (whole) meet(glance, known);
    if (known != NULL && known->ciphers & CIPHERS) cipher(glance, known);
    if (size == 1 && word[0] >= 'a' && word[0] <= 'z') glance->singles |= 1u << (word[0] - 'a');
    if (size >= JOINED) glance->doubts |= GLUED;
    glance->work->ids[glance->work->size++] = known != NULL ? known->number : glance->sums->shapes[shape(word, size, digits)];
}

/* Whether a sign is within a number, a time, an address or a name, where no sentence ends. */
static inline int inside(unsigned char sign, unsigned char before, unsigned char next) {
    const int in = sign == '.' ? LETTER | DIGIT : sign == ':' ? DIGIT : 0;
    return (kinds[before] & in) != 0 && (kinds[next] & in) != 0;
}

/* The numbers of the tokens of an ASCII text, and what a decoder may find in it. Returns 0; 1 where folding changes it; -1 without memory. */
static int tokenise(Glance *glance, const char *text, size_t size) {
    char word[LONG_WORD];
    size_t letters = 0, part = 0, begun = 0, digits = 0, run = 0, longest = 0, sixes = 0, noughts = 0, ones = 0, in_row = 0, dashes = 0, leet = 0, ays = 0;
    size_t since[2] = {SIZE_MAX, SIZE_MAX}; /* the last " and ' with nothing but joints behind it */
    uint32_t base85 = 0;
    int plus = 0, equal = 0, ten = 0, nought_one = 0, dash_dot = 0, joint = 0, spaced = 0, codes = 0;
    unsigned char before = 0;
    if ((glance->work->ids = malloc((size + 1) * sizeof(uint16_t))) == NULL) return -1;
    for (size_t at = 0; at <= size; at++) {
        const unsigned char sign = at < size ? (unsigned char)text[at] : '\0', kind = at < size ? kinds[sign] : 0;
        if (kind & (LETTER | DIGIT)) {
            if (letters == part) begun = at;
            if (letters < LONG_WORD) word[letters] = (char)(kind & LETTER ? sign | 0x20 : sign);
            letters++;
            if (kind & LETTER) {
                if (joint) glance->doubts |= ESCAPED;
                if (kinds[before] & LEET && ++leet > 1) glance->doubts |= LEETED;
                if (sign == 'y' && before == 'a') ays++;
                spaced = 0;
            } else {
                digits++;
                sixes += sign == '6';
                ones += sign == '1';
                noughts += sign == '0';
                ten |= before == '1' && sign <= '1';
                if (!(kinds[before] & DIGIT)) in_row = spaced ? in_row + 1 : 1;
                codes |= in_row >= 3;
                spaced = 1;
                nought_one |= before == '0' && sign == '1';
            }
            joint = 0;
            run++;
        } else {
            if (at < size && kind & CONTROL) return 1;
            if (letters > part && (sign == '\'' || part)) {
                meet(glance, known_as(&glance->sums->words, text + begun, letters - part));
                part = letters;
            }
            if (sign != '\'' && letters) {
                token(glance, word, letters, digits, part == 0);
                letters = part = digits = 0;
            }
            if (kind & MARK && !inside(sign, before, at + 1 < size ? (unsigned char)text[at + 1] : '\0')) {
                const char mark = sign == ';' ? '.' : sign == '\n' ? '|' : (char)sign;
                token(glance, &mark, 1, 0, 0);
            }
            joint = kind & JOINT && (joint || kinds[before] & LETTER);
            if (joint && sign == '<') glance->doubts |= ESCAPED;
            switch (sign) {
            case '\\':
                glance->doubts |= ESCAPED;
                break;
            case '+':
                plus = 1;
                break;
            case '=':
            case ':':
                equal = 1;
                break;
            case '-':
                dashes++;
                dash_dot |= before == '.';
                break;
            case '.':
                dash_dot |= before == '-';
                break;
            case '%':
            case '&':
                if (at + 1 < size) {
                    const unsigned char next = (unsigned char)text[at + 1];
                    if (sign == '&' ? next == '#' || kinds[next] & LETTER : kinds[next] & HEX || next == 'u')
                        glance->doubts |= ESCAPED;
                }
                break;
            default:
                break;
            }
            if (base85_signs[sign]) base85 |= 1u << base85_signs[sign];
            if (sign != ' ' && sign != ',' && sign != ';' && sign != '\n') spaced = 0;
            const int space = sign <= ' ';
            run = space ? 0 : run + 1;
        }
        if (run > longest) longest = run;
        if (sign == '"' || sign == '\'') {
            size_t *opened = &since[sign == '\''];
            const unsigned char next = at + 1 < size ? (unsigned char)text[at + 1] : '\0';
            if (*opened != SIZE_MAX && at - *opened <= 10 && (next == ' ' || kinds[next] & LETTER)) glance->doubts |= ESCAPED;
            *opened = before == ' ' || kinds[before] & LETTER ? at : SIZE_MAX;
            since[sign != '\''] = SIZE_MAX;
        } else if (!(kind & JOINING)) {
            since[0] = since[1] = SIZE_MAX;
        }
        before = sign;
    }
    const size_t tokens = glance->work->size;
    const uint32_t rare = glance->singles & ~(1u << 0 | 1u << 3 | 1u << 8 | 1u << 12 | 1u << 18 | 1u << 19); /* a d i m s t */
    if ((glance->once & glance->sums->usual) || glance->twice) glance->doubts |= ALPHABETS;
    if (__builtin_popcount(rare) >= 5) glance->doubts |= SPACED;
    if (sixes >= 3) glance->doubts |= HEXED;
    if (noughts >= 12 && nought_one) glance->doubts |= BINARY;
    if (ones >= 4 && ten && codes) glance->doubts |= DECIMAL;
    if (dashes >= 4 && dash_dot) glance->doubts |= MORSE;
    if ((plus && equal) || (ays >= 4 && ays * 5 >= tokens * 2)) glance->doubts |= ASSEMBLED;
    if (longest >= ENCODED) glance->doubts |= BASE64;
    if (longest >= BASE85_RUN && __builtin_popcount(base85) >= BASE85_KINDS) glance->doubts |= BASE85;
    return 0;
}

/* ---- second looks: whether what is in doubt at first sight may be there at all, as the decoders would find it ------------------------------ */

static inline int is_upper(unsigned char sign) { return sign >= 'A' && sign <= 'Z'; }
static inline int is_lower(unsigned char sign) { return sign >= 'a' && sign <= 'z'; }
static inline int is_packed(unsigned char sign) { return kinds[sign] & (LETTER | DIGIT) || sign == '+' || sign == '/' || sign == '-' || sign == '_'; }

/* Sixteen signs of base64 in a row, in capitals and small letters; twenty-four capitals and digits, for base32. */
static int may_be_base64(const char *text, size_t size) {
    size_t row = 0, capitals = 0;
    int upper = 0, lower = 0, open = 0; /* of a piece, which may go on behind a line's end */
    for (size_t at = 0; at < size; at++) {
        const unsigned char sign = (unsigned char)text[at];
        if (is_packed(sign)) {
            if (row++ == 0 && !open) upper = lower = 0;
            upper |= is_upper(sign);
            lower |= is_lower(sign);
            capitals = is_upper(sign) || kinds[sign] & DIGIT ? capitals + 1 : 0;
            if (capitals >= IN_CAPITALS || ((row >= ENCODED || open) && upper && lower)) return 1;
        } else {
            open = sign <= ' ' && (row >= ENCODED || (row == 0 && open));
            row = capitals = 0;
        }
    }
    return 0;
}

/* Twenty signs in a row, and in the lines that go on with them, that are of three of its kinds. */
static int may_be_base85(const char *text, size_t size) {
    size_t row = 0;
    uint32_t found = 0;
    int open = 0;
    for (size_t at = 0; at < size; at++) {
        const unsigned char sign = (unsigned char)text[at];
        if (sign > ' ') {
            if (row == 0 && !open) found = 0;
            row++;
            if (base85_signs[sign]) found |= 1u << base85_signs[sign];
            if ((row >= BASE85_RUN || open) && __builtin_popcount(found) >= BASE85_KINDS) return 1;
        } else {
            open = sign == '\n' && row >= BASE85_RUN;
            row = 0;
        }
    }
    return 0;
}

/* Eight bytes as two digits each, with what may stand between them. */
static int may_be_hex(const char *text, size_t size) {
    size_t digits = 0;
    for (size_t at = 0; at < size; at++) {
        const unsigned char sign = (unsigned char)text[at];
        if (kinds[sign] & HEX) {
            if (++digits >= HEX_DIGITS) return 1;
        } else if (sign != ' ' && sign != ',' && sign != ':' && sign != ';' && sign != '\n' && sign != '-' && sign != 'x') {
            digits = 0;
        }
    }
    return 0;
}

/* Four letters or digits in a row, each by itself, with the same sign between them. */
static int may_be_spaced(const char *text, size_t size) {
    size_t letters = 0, apart = 0, row = 0; /* of a word; signs before it; words of one letter */
    char sign = '\0', between = '\0';
    for (size_t at = 0; at <= size; at++) {
        const char before = sign;
        sign = at < size ? text[at] : '\0';
        if (kinds[(unsigned char)sign] & (LETTER | DIGIT)) {
            if (letters++ > 0) continue;
            if (apart != 1 || (row > 1 && before != between)) row = row > 0 && apart == 1;
            between = before;
        } else if (letters) {
            row = letters == 1 ? row + 1 : 0;
            if (row >= SHORTEST) return 1;
            letters = 0;
            apart = 1;
        } else {
            apart++;
        }
    }
    return 0;
}

/* What digits and signs are written for, and the same where they are written for an l. */
static const char leet_signs[] = "013456789@$!|", leet_letters[] = "oieasgtbgasii", leet_l[] = "1!|";

/* Whether a word of an attack is written so. */
static int is_leet(const Words *words, const char *written, size_t size) {
    char plain[2][LONG_WORD];
    if (size < SHORTEST || size > LONG_WORD) return 0;
    for (size_t at = 0; at < size; at++) {
        const char *sign = strchr(leet_signs, written[at]);
        const char letter = sign == NULL ? (char)(written[at] | 0x20) : leet_letters[sign - leet_signs];
        plain[0][at] = letter;
        plain[1][at] = strchr(leet_l, written[at]) == NULL ? letter : 'l';
    }
    return ((word_slot(words, plain[0], size)->ciphers | word_slot(words, plain[1], size)->ciphers) & TELLING) != 0;
}

/* A word of an attack, with digits or signs for letters: among all signs that may be written so, or among letters and digits, without apostrophes. */
static int may_be_leet(const Words *words, const char *text, size_t size) {
    char word[LONG_WORD], run[LONG_WORD];
    size_t letters = 0, digits = 0, signs = 0, telling = 0;
    for (size_t at = 0; at <= size; at++) {
        const char sign = at < size ? text[at] : '\0';
        const int plain = kinds[(unsigned char)sign] & (LETTER | DIGIT), digit = kinds[(unsigned char)sign] & DIGIT;
        if (plain) {
            if (letters < LONG_WORD) word[letters] = sign;
            letters++;
            digits += digit != 0;
        } else if (sign != '\'') {
            if (digits && is_leet(words, word, letters)) return 1;
            letters = digits = 0;
        }
        if (plain || sign == '@' || sign == '$' || sign == '!' || sign == '|') {
            if (signs < LONG_WORD) run[signs] = sign;
            signs++;
            telling += digit || sign == '@' || sign == '$';
        } else {
            if (telling && (signs > LEET_REACH || is_leet(words, run, signs))) return 1;
            signs = telling = 0;
        }
    }
    return 0;
}

/* How many letters of a word are those of a word of an attack, or of one that joins them: the longest that there is. */
static size_t part_of(const Words *words, const char *letters, size_t size) {
    for (size_t part = size < LONGEST_PART ? size : LONGEST_PART; part > 0; part--)
        if (word_slot(words, letters, part)->ciphers & ~(uint32_t)CIPHERS) return part;
    return 0;
}

/* A long word of letters, of which most are words of an attack, three at least. */
static int may_be_glued(const Words *words, const char *text, size_t size) {
    char word[LONGEST_WORD];
    size_t letters = 0, digits = 0;
    for (size_t at = 0; at <= size; at++) {
        const char sign = at < size ? text[at] : '\0';
        if (kinds[(unsigned char)sign] & (LETTER | DIGIT)) {
            if (letters < LONGEST_WORD) word[letters] = (char)(sign | 0x20);
            letters++;
            digits += (kinds[(unsigned char)sign] & DIGIT) != 0;
            continue;
        }
        if (sign == '\'') continue;
        if (letters > LONGEST_WORD) return 1;
        if (letters >= JOINED && digits == 0) {
            size_t parts = 0, covered = 0;
            for (size_t from = 0, part; from < letters; from += part ? part : 1)
                if ((part = part_of(words, word + from, letters - from)) > 0) parts++, covered += part;
            if (parts > PARTS && covered * 10 >= letters * COVERED) return 1;
        }
        letters = digits = 0;
    }
    return 0;
}

/* What is in doubt still, at a second look. */
static int looked_at_again(int doubts, const Words *words, const char *text, size_t size) {
    if (doubts & BASE64 && !may_be_base64(text, size)) doubts &= ~BASE64;
    if (doubts & BASE85 && !may_be_base85(text, size)) doubts &= ~BASE85;
    if (doubts & HEXED && !may_be_hex(text, size)) doubts &= ~HEXED;
    if (doubts & GLUED && !may_be_glued(words, text, size)) doubts &= ~GLUED;
    if (doubts & SPACED && !may_be_spaced(text, size)) doubts &= ~SPACED;
    if (doubts & LEETED && !may_be_leet(words, text, size)) doubts &= ~LEETED;
    return doubts;
}

enum { RULED = 1, PRECISE = 2, HARMING = 4 }; /* some rule may match; a precise one; one of requests for harm */

/* What rules may match where words meet some needs; ``rules``: a bit for each that may. */
static int possible(const Starts *self, const uint64_t *needs, uint64_t *rules) {
    int found = 0;
    for (size_t number = 0; number < self->rule_count; number++) {
        const Rule *rule = &self->rules[number];
        int bits = 0;
        while (bits < NEEDS && (rule->needs[bits] & needs[bits]) == rule->needs[bits]) bits++;
        if (bits < NEEDS) continue;
        rules[number / 64] |= 1ull << number % 64;
        found |= RULED | (rule->precise ? PRECISE : 0) | (rule->harmful ? HARMING : 0);
    }
    return found;
}

static inline double larger(double one, double other) { return one > other ? one : other; }

/* The row of evidence of a text in which no rule matched: as `evidence.gather` makes it. */
static void row_of(const Glance *glance, double *row) {
    const Work *work = glance->work;
    double second_any = NOTHING, second_order = NOTHING, first_any = NOTHING, first_order = NOTHING;
    size_t sentences = 0, windows = 0;
    memset(row, 0, FEATURES * sizeof(double));
    for (size_t at = 0; at < work->seen_count; at++) {
        const Seen *seen = &work->seen[at];
        const double any = seen->logits[ANY], order = seen->logits[INDIRECT];
        for (int head = 0; head < HEADS; head++) row[head] = at == 0 ? seen->logits[head] : larger(row[head], seen->logits[head]);
        row[OUTSIDE] = at == 0 ? seen->outside : larger(row[OUTSIDE], seen->outside);
        if (seen->unit.window) {
            row[WIDE] = windows++ == 0 ? any : larger(row[WIDE], any);
            continue;
        }
        if (sentences++ == 0) {
            first_any = any;
            first_order = order;
            continue;
        }
        second_any = sentences == 2 ? (any < first_any ? any : first_any) : larger(second_any, any < first_any ? any : first_any);
        second_order = sentences == 2 ? (order < first_order ? order : first_order)
                                      : larger(second_order, order < first_order ? order : first_order);
        first_any = larger(first_any, any);
        first_order = larger(first_order, order);
    }
    if (windows == 0) row[WIDE] = NOTHING;
    row[NEAR] = second_any;
    row[HIDDEN] = NOTHING;
    row[ORDERS] = second_order;
    row[QUOTING] = glance->brought;
    row[OPERATOR] = glance->own;
    row[LENGTH] = log(1.0 + (double)work->size);
}

/* Whether nothing is told of a kind, whatever matches: what the trees weigh must be known without the rules. */
static int untold(const Glance *glance, int kind, const double *row, int ruled) {
    const Sums *self = glance->sums;
    const int curt = is_curt(glance->work);
    const double *least = curt ? self->faint : self->least;
    const double said = kind == HARMFUL ? row[HARM] : kind == PLANTED ? larger(row[ANY], row[INDIRECT]) : row[ANY];
    const int loud = kind == HARMFUL ? row[HARM] > least[1]
                                     : row[ANY] > least[2] || (kind == PLANTED && row[INDIRECT] > least[0]);
    if (!loud) return 1;
    if (said > self->quiet[curt * KINDS + kind] && glance->work->size > BRIEF) return 0;
    const double most = self->untold[kind][glance->own ? OWN : glance->brought ? BROUGHT : OTHER], short_ = log(1.0 + SHORT);
    if (ruled || weigh(self->forests[kind], row) > most) return 0;
    if (row[LENGTH] <= short_) return 1;
    double as_short[FEATURES];
    memcpy(as_short, row, sizeof(as_short));
    as_short[LENGTH] = short_;
    return weigh(self->forests[kind], as_short) <= most;
}

/* Returns what there may be: a word of doubts; -1 without memory. */
static int glance_at(Glance *glance, const char *text, size_t size) {
    const int folded = tokenise(glance, text, size);
    uint64_t rules[RULES] = {0};
    if (folded) return folded < 0 ? -1 : EVERYTHING;
    glance->doubts = looked_at_again(glance->doubts, &glance->sums->words, text, size);
    const int may_match = possible(glance->sums->starts, glance->needs, rules);
    if (glance->work->size && look(glance->sums, glance->work, glance->brought, 0) < 0) return -1;
    if (may_match & PRECISE) return glance->doubts | SPEAKING;
    if (glance->work->seen_count == 0) return glance->doubts;
    if (glance->doubts || !glance->alone) return glance->doubts | SPEAKING;
    double row[FEATURES];
    row_of(glance, row);
    return untold(glance, glance->brought ? PLANTED : ATTACK, row, may_match) && untold(glance, HARMFUL, row, may_match & HARMING)
               ? 0
               : SPEAKING;
}

static PyObject *sums_glance(Sums *self, PyObject *args) {
    PyObject *text, *result = NULL;
    int brought, own, alone, found;
    if (!PyArg_ParseTuple(args, "Uppp", &text, &brought, &own, &alone)) return NULL;
    if (!PyUnicode_IS_ASCII(text)) return Py_NewRef(in_doubt);
    const char *letters = (const char *)PyUnicode_1BYTE_DATA(text);
    const size_t size = (size_t)PyUnicode_GET_LENGTH(text);
    Work work = {0};
    Glance glance = {.sums = self, .work = &work, .brought = brought, .own = own, .alone = alone};
    if (size > THREADED) {
        Py_BEGIN_ALLOW_THREADS;
        found = glance_at(&glance, letters, size);
        Py_END_ALLOW_THREADS;
    } else {
        found = glance_at(&glance, letters, size);
    }
    if (found < 0) PyErr_NoMemory();
    else if (found == 0) result = Py_NewRef(nothing);
    else if (found == EVERYTHING) result = Py_NewRef(in_doubt);
    else {
        PyObject *seen = found & SPEAKING ? seen_list(&work) : PyList_New(0);
        if (seen != NULL) result = Py_BuildValue("iNn", found, seen, (Py_ssize_t)work.size);
    }
    work_free(&work);
    return result;
}

static PyMethodDef sums_methods[] = {
    {"look", (PyCFunction)sums_look, METH_VARARGS, "As `counting.Sums.look`."},
    {"weight", (PyCFunction)sums_weight, METH_VARARGS, "As `counting.Sums.weight`."},
    {"glance", (PyCFunction)sums_glance, METH_VARARGS, "As `counting.Sums.glance`."},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject SumsType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "lockllm_twisted.detection._quick.Sums",
    .tp_basicsize = sizeof(Sums),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "As `counting.Sums`.",
    .tp_new = sums_new,
    .tp_dealloc = (destructor)sums_dealloc,
    .tp_methods = sums_methods,
};

/* ---- where rules may match ------------------------------------------------------------------------------------- */

static int gathered(Starts *self, PyObject *args, PyObject *named) {
    static char *names[] = {"words", "meets", "rules", NULL};
    PyObject *words, *meets, *rules;
    if (!PyArg_ParseTupleAndKeywords(args, named, "$O!OO", names, &PyDict_Type, &words, &meets, &rules)) return -1;
    if ((self->meets = copied(meets, sizeof(Met), &self->meet_count)) == NULL ||
        (self->rules = copied(rules, sizeof(Rule), &self->rule_count)) == NULL)
        return -1;
    if (self->rule_count > RULES * 64) {
        PyErr_SetString(PyExc_ValueError, "there are too many rules");
        return -1;
    }
    return words_of(words, &self->words, 1, self->meet_count);
}

static PyObject *starts_new(PyTypeObject *type, PyObject *args, PyObject *named) {
    PyObject *self = type->tp_alloc(type, 0);
    if (self != NULL && gathered((Starts *)self, args, named) < 0) Py_CLEAR(self);
    return self;
}

static void starts_dealloc(Starts *self) {
    free(self->rules);
    free(self->meets);
    free(self->words.slots);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

/* Where a word stands with which a match of some rule may start. */
typedef struct {
    size_t at;
    uint16_t met;
} Head;

static inline int in_word(const char *text, size_t at) { return (kinds[(unsigned char)text[at]] & (LETTER | DIGIT)) != 0; }

/* The heads of a page, and which rules may match in it. Returns how many heads there are. */
static size_t page_of(const Starts *self, const char *text, size_t size, size_t start, size_t end, Head *heads, uint64_t *rules) {
    uint64_t needs[NEEDS] = {0};
    size_t count = 0;
    for (size_t at = start, behind; at < end; at = behind + 1) {
        for (behind = at; behind < end && in_word(text, behind);) behind++;
        if (behind == at) continue;
        const Word *known = known_as(&self->words, text + at, behind - at);
        if (known == NULL || known->met == 0) continue;
        const Met *met = &self->meets[known->met];
        for (int bits = 0; bits < NEEDS; bits++) needs[bits] |= met->needs[bits];
        _Static_assert(RULES == 3, "three numbers of bits");
        if (!(met->heads[0] | met->heads[1] | met->heads[2])) continue;
        if ((at == 0 || !in_word(text, at - 1)) && (behind == size || !in_word(text, behind)))
            heads[count++] = (Head){at, known->met};
    }
    return possible(self, needs, rules) ? count : 0;
}

/* Adds (rule, where it may match, where that ends; -1 where it starts there or nowhere). */
static int add_starts(const Starts *self, PyObject *to, const uint64_t *rules, const Head *heads, size_t count, size_t start, size_t end) {
    for (size_t number = 0; number < self->rule_count; number++) {
        const uint64_t bit = 1ull << number % 64;
        if (!(rules[number / 64] & bit)) continue;
        const int headless = self->rules[number].headless != 0;
        for (size_t head = 0; head < (headless ? 1 : count); head++) {
            if (!headless && !(self->meets[heads[head].met].heads[number / 64] & bit)) continue;
            PyObject *one = Py_BuildValue("nnn", (Py_ssize_t)number, (Py_ssize_t)(headless ? start : heads[head].at),
                                          headless ? (Py_ssize_t)end : -1);
            const int added = one == NULL ? -1 : PyList_Append(to, one);
            Py_XDECREF(one);
            if (added < 0) return -1;
        }
    }
    return 0;
}

static PyObject *starts_of(Starts *self, PyObject *text) {
    if (!PyUnicode_Check(text) || !PyUnicode_IS_ASCII(text)) {
        PyErr_SetString(PyExc_TypeError, "a text in ASCII is wanted");
        return NULL;
    }
    const char *letters = (const char *)PyUnicode_1BYTE_DATA(text);
    const size_t size = (size_t)PyUnicode_GET_LENGTH(text);
    Head heads[PAGE / 2 + 1];
    PyObject *result = PyList_New(0);
    for (size_t start = 0; result != NULL && (start == 0 || start + OVERLAP < size); start += PAGE - OVERLAP) {
        const size_t end = start + PAGE < size ? start + PAGE : size;
        uint64_t rules[RULES] = {0};
        const size_t count = page_of(self, letters, size, start, end, heads, rules);
        if (add_starts(self, result, rules, heads, count, start, end) < 0) Py_CLEAR(result);
    }
    return result;
}

static PyMethodDef starts_methods[] = {
    {"of", (PyCFunction)starts_of, METH_O, "As `starts.Starts.of`."},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject StartsType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "lockllm_twisted.detection._quick.Starts",
    .tp_basicsize = sizeof(Starts),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "As `starts.Starts`.",
    .tp_new = starts_new,
    .tp_dealloc = (destructor)starts_dealloc,
    .tp_methods = starts_methods,
};

/* ---- the type of the trees ------------------------------------------------------------------------------------- */

/* The nodes of one tree, behind the `base` nodes of others. */
static int grow(PyObject *tree, Node *nodes, size_t base, size_t *features) {
    const Py_ssize_t count = PyList_GET_SIZE(tree);
    for (Py_ssize_t at = 0; at < count; at++) {
        PyObject *from = PyList_GET_ITEM(tree, at);
        double told[4];
        const Py_ssize_t size = PyList_Check(from) ? PyList_GET_SIZE(from) : 0;
        if (size != 1 && size != 4) {
            PyErr_SetString(PyExc_ValueError, "a node is [value] or [feature, threshold, node, node]");
            return -1;
        }
        if (numbers_of(from, told, size) < 0) return -1;
        if (size == 1) {
            nodes[at] = (Node){told[0], -1, 0, 0};
            continue;
        }
        if (!(told[0] >= 0 && told[0] < 1000 && told[2] > (double)at && told[3] > (double)at && told[2] < (double)count &&
              told[3] < (double)count)) {
            PyErr_SetString(PyExc_ValueError, "a branch leads to no later node");
            return -1;
        }
        nodes[at] = (Node){told[1], (int32_t)told[0], (uint32_t)(base + (size_t)told[2]), (uint32_t)(base + (size_t)told[3])};
        if ((size_t)told[0] >= *features) *features = (size_t)told[0] + 1;
    }
    return 0;
}

static int plant(Forest *self, PyObject *args) {
    PyObject *trees, *heads;
    double numbers[HEADS];
    size_t size = 0;
    if (!PyArg_ParseTuple(args, "O!O!d", &PyList_Type, &trees, &PyTuple_Type, &heads, &self->slope)) return -1;
    if (PyTuple_GET_SIZE(heads) > HEADS) {
        PyErr_SetString(PyExc_ValueError, "there are not so many heads");
        return -1;
    }
    self->count = (size_t)PyList_GET_SIZE(trees);
    self->head_count = (size_t)PyTuple_GET_SIZE(heads);
    if (numbers_of(heads, numbers, PyTuple_GET_SIZE(heads)) < 0) return -1;
    for (size_t at = 0; at < self->head_count; at++) {
        if (!(numbers[at] >= 0 && numbers[at] < HEADS)) {
            PyErr_SetString(PyExc_ValueError, "there is no such head");
            return -1;
        }
        self->heads[at] = (size_t)numbers[at];
    }
    self->features = HEADS;
    for (size_t at = 0; at < self->count; at++) {
        PyObject *tree = PyList_GET_ITEM(trees, (Py_ssize_t)at);
        if (!PyList_Check(tree) || PyList_GET_SIZE(tree) == 0) {
            PyErr_SetString(PyExc_ValueError, "a tree is a list of nodes");
            return -1;
        }
        size += (size_t)PyList_GET_SIZE(tree);
    }
    self->nodes = malloc(size * sizeof(Node) + 1);
    self->roots = malloc(self->count * sizeof(uint32_t) + 1);
    if (self->nodes == NULL || self->roots == NULL || size > UINT32_MAX) {
        PyErr_NoMemory();
        return -1;
    }
    size = 0;
    for (size_t at = 0; at < self->count; at++) {
        PyObject *tree = PyList_GET_ITEM(trees, (Py_ssize_t)at);
        self->roots[at] = (uint32_t)size;
        if (grow(tree, self->nodes + size, size, &self->features) < 0) return -1;
        size += (size_t)PyList_GET_SIZE(tree);
    }
    return 0;
}

static PyObject *forest_new(PyTypeObject *type, PyObject *args, PyObject *named) {
    (void)named;
    PyObject *self = type->tp_alloc(type, 0);
    if (self != NULL && plant((Forest *)self, args) < 0) Py_CLEAR(self);
    return self;
}

static void forest_dealloc(Forest *self) {
    free(self->nodes);
    free(self->roots);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyObject *forest_weigh(Forest *self, PyObject *row) {
    double values[64];
    if (!PyTuple_Check(row) || (size_t)PyTuple_GET_SIZE(row) < self->features || PyTuple_GET_SIZE(row) > 64) {
        PyErr_SetString(PyExc_ValueError, "a row is a tuple of all features");
        return NULL;
    }
    if (numbers_of(row, values, PyTuple_GET_SIZE(row)) < 0) return NULL;
    return PyFloat_FromDouble(weigh(self, values));
}

static PyMethodDef forest_methods[] = {
    {"weigh", (PyCFunction)forest_weigh, METH_O, "As `weighing.Forest.weigh`."},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject ForestType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "lockllm_twisted.detection._quick.Forest",
    .tp_basicsize = sizeof(Forest),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "As `weighing.Forest`.",
    .tp_new = forest_new,
    .tp_dealloc = (destructor)forest_dealloc,
    .tp_methods = forest_methods,
};

/* ---- tokens ---------------------------------------------------------------------------------------------------- */

static int append(PyObject *to, const char *letters, size_t size) {
    PyObject *token = PyUnicode_FromStringAndSize(letters, (Py_ssize_t)size);
    const int failed = token == NULL ? -1 : PyList_Append(to, token);
    Py_XDECREF(token);
    return failed;
}

/* Appends the tokens of some text. ``word``: room for as much. Returns -1 with an exception. */
static int append_tokens(PyObject *to, const char *text, size_t size, char *word) {
    size_t letters = 0;
    for (size_t at = 0; at <= size; at++) {
        const unsigned char sign = at < size ? (unsigned char)text[at] : '\0';
        if (kinds[sign] & (LETTER | DIGIT)) {
            word[letters++] = (char)sign;
            continue;
        }
        if (sign == '\'' && at < size) continue;
        if (letters && append(to, word, letters) < 0) return -1;
        letters = 0;
        if (kinds[sign] & MARK && !inside(sign, at ? (unsigned char)text[at - 1] : '\0', at + 1 < size ? (unsigned char)text[at + 1] : '\0')) {
            const char mark = sign == ';' ? '.' : sign == '\n' ? '|' : (char)sign;
            if (append(to, &mark, 1) < 0) return -1;
        }
    }
    return 0;
}

static PyObject *tokens_of(PyObject *module, PyObject *text) {
    (void)module;
    if (!PyUnicode_Check(text) || !PyUnicode_IS_ASCII(text)) {
        PyErr_SetString(PyExc_TypeError, "a text in ASCII is wanted");
        return NULL;
    }
    const size_t size = (size_t)PyUnicode_GET_LENGTH(text);
    PyObject *result = PyList_New(0);
    char *word = PyMem_Malloc(size + 1);
    if (word == NULL) PyErr_NoMemory();
    if (result != NULL && (word == NULL || append_tokens(result, (const char *)PyUnicode_1BYTE_DATA(text), size, word) < 0)) Py_CLEAR(result);
    PyMem_Free(word);
    return result;
}

static int append_span(PyObject *to, Py_ssize_t start, Py_ssize_t end) {
    PyObject *span = Py_BuildValue("nn", start, end);
    const int failed = span == NULL ? -1 : PyList_Append(to, span);
    Py_XDECREF(span);
    return failed;
}

/* The parts of a text with so many signs in a row and no space among them; to each belongs the row behind it, and the next one's first sign. */
static PyObject *rows_of(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *text;
    Py_ssize_t least, row = 0, from = -1; /* from: where a part starts */
    int more = 0;                         /* rows that belong to it still */
    if (!PyArg_ParseTuple(args, "Un", &text, &least)) return NULL;
    const int kind = PyUnicode_KIND(text);
    const void *signs = PyUnicode_DATA(text);
    const Py_ssize_t size = PyUnicode_GET_LENGTH(text);
    PyObject *result = PyList_New(0);
    for (Py_ssize_t at = 0; result != NULL && at < size; at++) {
        if (Py_UNICODE_ISSPACE(PyUnicode_READ(kind, signs, at))) {
            row = 0;
            continue;
        }
        if (row == 0 && from >= 0 && more-- == 0) {
            if (append_span(result, from, at + 1) < 0) Py_CLEAR(result);
            from = -1;
        }
        if (++row < least) continue;
        if (from < 0) from = at + 1 - row;
        more = 1;
    }
    if (result != NULL && from >= 0 && append_span(result, from, size) < 0) Py_CLEAR(result);
    return result;
}

static PyMethodDef functions[] = {
    {"rows", rows_of, METH_VARARGS, "Parts of a text with so many signs in a row, as `decoders` looks for them."},
    {"tokens", tokens_of, METH_O, "As `tokens.tokens`, of a text in ASCII and small letters."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef module = {PyModuleDef_HEAD_INIT, .m_name = "_quick", .m_doc = "Counting and weighing, compiled.", .m_size = -1, .m_methods = functions};

PyMODINIT_FUNC PyInit__quick(void) {
    kinds_init();
    nothing = Py_BuildValue("i()i", 0, 0);
    in_doubt = Py_BuildValue("iOi", EVERYTHING, Py_None, 0);
    if (nothing == NULL || in_doubt == NULL) return NULL;
    PyObject *made = PyModule_Create(&module);
    if (made != NULL && (PyModule_AddType(made, &SumsType) < 0 || PyModule_AddType(made, &StartsType) < 0 ||
                         PyModule_AddType(made, &ForestType) < 0 ||
                         PyModule_AddIntConstant(made, "NEEDS", NEEDS) < 0 || PyModule_AddIntConstant(made, "RULES", RULES) < 0))
        Py_CLEAR(made);
    return made;
}
